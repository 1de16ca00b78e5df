"""Parts of the documentation that are made from the code. `python -m tests.docs.generated` writes them anew."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TypeVar

import adapters
from adapters.contract import Manifest
from connector.tables import documents, inbox
from notifications import outbox

ROOT = Path(__file__).parents[2]
State = TypeVar("State", bound=Enum)

CAPABILITIES: tuple[tuple[str, Callable[[Manifest], str]], ...] = (
    ("How deliveries are signed", lambda one: one.traits.signs),
    ("Sends again after a failure", lambda one: _hours(one.traits.redelivers_for_hours)),
    ("Names the event", lambda one: "in the request" if one.traits.names_event_in_request else "in the address"),
    ("Parcels and tracking numbers", lambda one: one.traits.shipments_in_order),
    ("Customer's language", lambda one: one.traits.customer_language),
    ("One address for all shops of an app", lambda one: _yes(one.shop_headers)),
    ("Unsigned test call", lambda one: _yes(one.ping)),
    ("Question at registration", lambda one: _yes(one.challenge)),
    ("Connected by a link for the merchant", lambda one: _way(one)),
    ("Connected by pasted keys", lambda one: _yes(one.connect and one.connect.fields)),
    ("Webhooks subscribed and put right by us", lambda one: _yes(one.api and one.api.subscribe)),
    ("Looked through for changes, alone / beside webhooks", lambda one: _pace(one)),
    ("Credentials renewed", lambda one: _yes(one.api and one.api.renew)),
    ("Its own mails switched from here", lambda one: _yes(one.api and one.api.speak)),
    ("Takes a parcel and its number from us", lambda one: _yes(one.api and one.api.pushes.shipment)),
    ("Takes a parcel's progress from us", lambda one: _yes(one.api and one.api.pushes.status)),
    ("Takes a note on the order", lambda one: _yes(one.api and one.api.pushes.note)),
    ("Takes a link to the invoice", lambda one: _yes(one.api and one.api.pushes.invoice_link)),
)


def capability_table() -> str:
    """What each platform does, a column a platform, from the manifests alone."""
    platforms = [adapters.manifest(name) for name in adapters.NAMES]
    rows = [
        ("", *(one.title for one in platforms)),
        *((says, *(of(one) for one in platforms)) for says, of in CAPABILITIES),
    ]
    head, *body = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([head, f"|{'---|' * len(rows[0])}", *body])


def state_diagram(transitions: Mapping[State, frozenset[State]]) -> str:
    """Every state and where it can go, as Mermaid, in the order of the enum."""
    states = list(type(next(iter(transitions))))
    moves = [(one, other) for one in states for other in states if other in transitions[one]]
    return "\n".join(
        [
            "```mermaid",
            "stateDiagram-v2",
            f"    [*] --> {states[0].value}",
            *(f"    {one.value} --> {other.value}" for one, other in moves),
            *(f"    {one.value} --> [*]" for one in states if not transitions[one]),
            "```",
        ]
    )


def block(text: str, name: str) -> str:
    """What stands between `<!-- name -->` and `<!-- /name -->`. Raises ValueError when a mark is missing."""
    start = text.index(_opening(name)) + len(_opening(name))
    return text[start : text.index(_closing(name), start)]


def written(text: str, name: str, content: str) -> str:
    """The text with the block's content replaced."""
    before, after = text.split(_opening(name))[0], text.split(_closing(name))[1]
    return f"{before}{_opening(name)}{content}{_closing(name)}{after}"


BLOCKS: Mapping[tuple[str, str], Callable[[], str]] = {
    ("README.md", "capabilities"): capability_table,
    ("connector/tables/README.md", "states of a delivery"): lambda: state_diagram(inbox.TRANSITIONS),
    ("connector/tables/README.md", "states of a document"): lambda: state_diagram(documents.TRANSITIONS),
    ("notifications/README.md", "states of a message"): lambda: state_diagram(outbox.TRANSITIONS),
}


def main() -> None:
    """Write all blocks into their files."""
    for (path, name), content in BLOCKS.items():
        file = ROOT / path
        file.write_text(written(file.read_text(encoding="utf-8"), name, content()), encoding="utf-8")


def _opening(name: str) -> str:
    return f"<!-- {name} -->\n"


def _closing(name: str) -> str:
    return f"\n<!-- /{name} -->"


def _hours(hours: float) -> str:
    return f"for {hours:g} hours" if hours else "never"


def _way(manifest: Manifest) -> str:
    """Where a merchant says yes."""
    connect = manifest.connect
    if connect is None or connect.receive is None:
        return "no"
    return "begins here" if connect.begin else "begins on the platform's side"


def _pace(manifest: Manifest) -> str:
    """Minutes between two looks, without and with webhooks."""
    if manifest.api is None:
        return "no"
    pace = manifest.api.pace
    return f"every {_minutes(pace.alone)} / {_minutes(pace.with_webhooks)}"


def _minutes(wait: timedelta) -> str:
    minutes = wait.total_seconds() / 60
    return f"{minutes:g} min"


def _yes(part: object) -> str:
    return "yes" if part else "no"


if __name__ == "__main__":
    main()
