"""Ways to change a platform's document: any other JSON, cut, with a byte or a value replaced."""

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("1e999999"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def encoded(document: object) -> bytes:
    """A document as a platform would post it."""
    return json.dumps(document, default=_exactly).encode()


def _exactly(value: object) -> float:
    assert isinstance(value, Decimal)
    return float(value)


@st.composite
def mutilated(draw: st.DrawFn, body: bytes) -> bytes:
    """A body that is cut, has a byte changed, or has one of its values replaced."""
    if draw(st.booleans()):
        position = draw(st.integers(0, max(0, len(body) - 1)))
        return draw(
            st.sampled_from([body[:position], body[:position] + draw(st.binary(max_size=2)) + body[position + 1 :]])
        )
    try:
        document = json.loads(body)
    except ValueError:
        return body
    return encoded(_replaced(draw, document))


def _replaced(draw: st.DrawFn, document: Any) -> Any:
    """One value somewhere inside replaced by any other, or gone."""
    if not isinstance(document, dict | list) or not document or draw(st.integers(0, 3)) == 0:
        return draw(json_values)
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = draw(st.sampled_from(keys))
    changed = copy.copy(document)
    if draw(st.integers(0, 9)) == 0:
        del changed[key]
    else:
        changed[key] = _replaced(draw, document[key])
    return changed


def with_text_replaced(value: Any, old: str, new: str) -> Any:
    """A document with one text instead of another, wherever it stands."""
    if isinstance(value, dict):
        return {key: with_text_replaced(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_text_replaced(inner, old, new) for inner in value]
    return new if value == old else value


def leaves(value: Any) -> Iterator[Any]:
    """Every value of a document that is neither object nor list."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def written(value: str | float | Decimal) -> str:
    """A value as it stood in the document."""
    return value if isinstance(value, str) else format(value, "f") if isinstance(value, Decimal) else str(value)
