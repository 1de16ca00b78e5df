"""All that is known of one shop's connection, as a page of text."""

from collections.abc import Iterator
from datetime import datetime

from connector import shop_commands
from connector.domain.connection import ConnectionState, SubscriptionState
from connector.domain.shop import Voice
from connector.flow.service import Service
from connector.tables import connections, orders, shops, sweeps
from connector.tables.connections import Connection
from connector.tables.sweeps import Sweep, SweepKind
from notifications.kinds import KINDS

_STATES = {
    ConnectionState.INVITED: "invited: the merchant has not said yes yet",
    ConnectionState.OFFERED: "proving the keys at the shop",
    ConnectionState.CONNECTING: "looking at the shop and subscribing to its webhooks",
    ConnectionState.CONNECTED: "connected",
    ConnectionState.BROKEN: "broken",
    ConnectionState.ENDED: "disconnected",
}


def state_of(known: Connection) -> str:
    """Where a connection is, with what is wrong."""
    return f"{_STATES[known.state]}: {known.problem}" if known.problem else _STATES[known.state]


def report(service: Service, shop_id: str) -> str:
    """Everything about one shop's connection; a line each."""
    return "\n".join(f"{name:10}{text}" for name, text in _lines(service, shop_id))


def _lines(service: Service, shop_id: str) -> Iterator[tuple[str, str]]:
    with service.database.read() as connection:
        shop, known = shops.by_id(connection, shop_id), connections.get(connection, shop_id)
        swept, count = sweeps.of_shop(connection, shop_id), orders.count(connection, shop_id)
    if shop is None or known is None:
        return
    now, findings = service.clock.now(), known.findings
    yield "shop", f"{shop.name} ({service.manifest(shop.platform).title} {findings.version} at {known.base})"
    yield "state", state_of(known)
    yield (
        "webhooks",
        f"last one {_ago(known.heard_at, now)}; last look at the subscriptions {_ago(known.checked_at, now)}",
    )
    for one in known.subscribed.subscriptions:
        if one.state is not SubscriptionState.ACTIVE or one.remark:
            yield "", f"{one.topic}: {one.state.value} {one.remark}".rstrip()
    changes, history = swept.get(SweepKind.CHANGES), swept.get(SweepKind.HISTORY)
    if changes:
        yield "changes", _sweep(changes, now)
    if history:
        done = f"done {_ago(history.finished_at, now)}" if history.finished_at else "under way"
        yield "history", f"{done}: {history.documents} documents read in {history.pages} pages"
    yield "orders", f"{count} known"
    yield "healed", f"{known.healed} gaps that no webhook told of; {known.repaired} subscriptions put right"
    shadow = [kind for kind in KINDS if shop.voice(kind) is Voice.SHADOW]
    if shadow:
        yield "voice", f"only watching for: {', '.join(shadow)}; switch on with `connector voice set`"
    twice = [kind for kind in KINDS if shop.speaks(kind) and findings.platform_speaks.get(kind)]
    if twice:
        yield "voice", f"the platform mails these too: {', '.join(twice)}; see `connector voice list`"
    for text in (*findings.missing_rights, *findings.notes, *shop_commands.advice(shop)):
        yield "note", text


def _sweep(sweep: Sweep, now: datetime) -> str:
    problem = f"; {sweep.problem}" if sweep.problem else ""
    return f"looked through up to {sweep.watermark:%Y-%m-%d %H:%M:%S} UTC, {_ago(sweep.finished_at, now)}{problem}"


def _ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"
