"""Magento's searchCriteria as a query string: filters that all must hold, an order, and a page size."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a top-level field; moments are UTC as `YYYY-MM-DD HH:MM:SS` without a zone."""

    field: str
    value: str
    condition: str = "eq"


def query(filters: Iterable[Filter] = (), *, sort: Iterable[str] = (), size: int, fields: str = "") -> str:
    """The query string, everything encoded: PHP drops pairs without exactly one raw `=`, and signs what is left.

    `sort`: fields, one with a `-` before it from the largest down.
    Each filter is a group of its own, because filters inside a group are joined by "or" (magento reference, section 4).
    It is always the first page: further ones are asked for by filters, as a page past the end repeats the last.
    """
    pairs = []
    for position, one in enumerate(filters):
        group = f"searchCriteria[filter_groups][{position}][filters][0]"
        pairs += [(f"{group}[field]", one.field), (f"{group}[value]", one.value)]
        pairs.append((f"{group}[condition_type]", one.condition))
    for position, name in enumerate(sort):
        order = f"searchCriteria[sortOrders][{position}]"
        pairs += [(f"{order}[field]", name.lstrip("-")), (f"{order}[direction]", "DESC" if name[:1] == "-" else "ASC")]
    pairs += [("searchCriteria[pageSize]", str(size)), ("searchCriteria[currentPage]", "1")]
    if fields:
        pairs.append(("fields", fields))
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
