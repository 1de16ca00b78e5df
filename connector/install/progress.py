"""How far a shop's connection has come, as its merchant sees it."""

from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from connector.domain.connection import ConnectionState
from connector.domain.shop import Shop
from connector.tables import connections, shops, sweeps
from connector.tables.connections import Connection
from connector.tables.sweeps import Sweep, SweepKind
from notifications.kinds import KINDS


class Phase(Enum):
    """What happens right now; the first five follow each other."""

    WAITING = "waiting"
    PROVING = "proving"
    SETTING_UP = "setting up"
    IMPORTING = "importing"
    CONNECTED = "connected"
    BROKEN = "broken"
    ENDED = "ended"


WORKING = (Phase.WAITING, Phase.PROVING, Phase.SETTING_UP, Phase.IMPORTING)
"""Phases that end by themselves, so that it is worth looking again."""
_OF_STATE = {
    ConnectionState.INVITED: Phase.WAITING,
    ConnectionState.OFFERED: Phase.PROVING,
    ConnectionState.CONNECTING: Phase.SETTING_UP,
    ConnectionState.BROKEN: Phase.BROKEN,
    ConnectionState.ENDED: Phase.ENDED,
}
_STEPS = (
    (Phase.WAITING, "Permission given"),
    (Phase.PROVING, "Permission checked with the shop"),
    (Phase.SETTING_UP, "Shop looked at and webhooks set up"),
    (Phase.IMPORTING, "Past orders read"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list."""

    text: str
    state: str
    """`done`, `now` or `later`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """All a progress page says."""

    shop: Shop
    phase: Phase
    steps: tuple[Step, ...]
    """Empty where the order of things is broken."""
    read: int
    """How many past orders, so far."""
    problem: str
    """What is wrong, and what to click; also while it is still being tried."""
    rights: tuple[str, ...]
    """Rights that are missing, a sentence each."""
    notes: tuple[str, ...]
    sends: bool
    """Whether the shop tells of changes by itself."""
    retried: bool
    """Whether what is broken is also tried again without anybody doing anything."""

    @property
    def speaks(self) -> bool:
        """Whether anything is told to customers by now."""
        return any(self.shop.speaks(kind) for kind in KINDS)

    @property
    def working(self) -> bool:
        return self.phase in WORKING


def look(connection: sa.Connection, shop_id: str, *, history: bool) -> Progress | None:
    """A shop's progress; None for a shop that has no connection. `history`: whether past orders will be read."""
    found, shop = connections.get(connection, shop_id), shops.by_id(connection, shop_id)
    if found is None or shop is None:
        return None
    imported = sweeps.of_shop(connection, shop_id).get(SweepKind.HISTORY)
    phase, history_says = _phase(found, imported), imported.problem if imported else ""
    stuck = phase is Phase.IMPORTING and imported is not None and imported.failures > 0
    problem = history_says if stuck else found.problem
    return Progress(
        shop=shop,
        phase=phase,
        steps=_steps(phase, history=history or imported is not None, all_read=bool(imported and imported.finished_at)),
        read=imported.documents if imported else 0,
        problem=problem,
        rights=tuple(right for right in found.findings.missing_rights if right not in problem),
        notes=found.findings.notes + ((history_says,) if history_says and not stuck else ()),
        sends=found.subscribed.sends,
        retried=found.state is ConnectionState.BROKEN,
    )


def _phase(found: Connection, imported: Sweep | None) -> Phase:
    if found.state is ConnectionState.CONNECTED:
        return Phase.IMPORTING if imported and imported.finished_at is None else Phase.CONNECTED
    if found.state is ConnectionState.INVITED and found.problem:
        return Phase.BROKEN  # what was handed over did not hold
    return _OF_STATE[found.state]


def _steps(phase: Phase, *, history: bool, all_read: bool) -> tuple[Step, ...]:
    if phase in (Phase.BROKEN, Phase.ENDED):
        return ()
    shown = [(of, text) for of, text in _STEPS if history or of is not Phase.IMPORTING]
    return tuple(Step(text, "done" if of is Phase.IMPORTING and all_read else _state(of, phase)) for of, text in shown)


def _state(step: Phase, now: Phase) -> str:
    order = list(Phase)
    if step is now:
        return "now"
    return "done" if order.index(step) < order.index(now) else "later"
