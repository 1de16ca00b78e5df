"""No platform's name appears in code outside its own folder; comments and docstrings may name a source."""

import ast
from pathlib import Path

import pytest

import adapters
from tests.docs.generated import ROOT

NAMES = {*adapters.NAMES, *(adapters.manifest(name).title.lower() for name in adapters.NAMES)}
MODULES = sorted(
    [
        *(path for room in ("connector", "webhooks", "notifications") for path in (ROOT / room).glob("**/*.py")),
        *(path for path in (ROOT / "adapters").glob("*.py") if path.name != "__init__.py"),
    ]
)


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:  # the name ast looks for
        return None if isinstance(node.value, ast.Constant) else node


def code(source: str) -> str:
    """The source without comments and docstrings, in lower case."""
    return ast.unparse(_WithoutDocstrings().visit(ast.parse(source))).lower()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_platform_is_named_outside_its_folder(path: Path) -> None:
    found = code(path.read_text(encoding="utf-8"))
    assert [name for name in NAMES if name in found] == []


def test_a_name_in_code_would_be_found_and_one_in_a_comment_would_not() -> None:
    name = adapters.NAMES[0]
    source = f'"""About {name}."""\n# {name}\ndef f() -> str:\n    """{name}"""\n    return "{{}}"\n'
    assert name not in code(source)
    assert name in code(source.format(name.title()))
