"""The documentation says what the code does: generated parts are fresh, links lead somewhere."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from connector.settings import TEST_PREFIX, Settings, variable
from tests.docs.generated import BLOCKS, ROOT, block, written

READMES = sorted(path for path in ROOT.glob("**/README.md") if not {".venv", "build"} & set(path.parts))
PACKAGES = (
    "connector",
    "connector/commands",
    "connector/install",
    "connector/portal",
    "connector/tables",
    "connector/flow",
    "webhooks",
    "adapters",
    "notifications",
    "notifications/channels",
    "notifications/documents",
)
DECISIONS = sorted((ROOT / "connector/decisions").glob("*.md"))
_VARIABLE = re.compile(rf"\b(?!{TEST_PREFIX})CONNECTOR_[A-Z_]+[A-Z]\b")
_LINK = re.compile(r"\]\(([^)#]+)")
_NAMED_FILE = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|md|env|typ|css|html))`")


@pytest.mark.parametrize(("path", "name"), BLOCKS)
def test_what_is_made_from_the_code_is_up_to_date(path: str, name: str) -> None:
    content = block((ROOT / path).read_text(encoding="utf-8"), name)
    assert content == BLOCKS[path, name](), "run: python -m tests.docs.generated"


def test_writing_a_block_changes_nothing_else() -> None:
    text = "before\n<!-- name -->\nold\n<!-- /name -->\nafter\n"
    assert written(text, "name", "new") == "before\n<!-- name -->\nnew\n<!-- /name -->\nafter\n"
    assert block(text, "name") == "old"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_a_readme(package: str) -> None:
    assert len((ROOT / package / "README.md").read_text(encoding="utf-8")) > 200


def test_every_package_of_the_code_is_known_here() -> None:
    inner = {"domain", "migrations", "versions", "demo", *(path.name for path in (ROOT / "adapters").iterdir())}
    found = {
        str(path.parent.relative_to(ROOT))
        for room in ("connector", "webhooks", "adapters", "notifications")
        for path in (ROOT / room).glob("**/__init__.py")
    }
    assert {package for package in found if Path(package).name not in inner} | {"adapters"} == set(PACKAGES)


@pytest.mark.parametrize("path", [*READMES, *DECISIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(path: Path) -> None:
    links = [link for link in _LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", [*READMES, *DECISIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(path: Path) -> None:
    named = _NAMED_FILE.findall(path.read_text(encoding="utf-8"))
    missing = [name for name in named if not any((place / name).exists() for place in (ROOT, *path.parents))]
    assert missing == []


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_says_its_context_and_its_consequences(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {int(path.name[:4])}\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(_VARIABLE.findall(path.read_text(encoding="utf-8")))
    known = {variable(one.name) for one in fields(Settings)}
    assert {one for one in named if one not in known and one.removesuffix("_FILE") not in known} == set()
