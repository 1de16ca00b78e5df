"""Connections: how far each shop's connection has come, with which sealed credentials, and how well it works."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from connector.database import Moment, Words, insert_new, metadata
from connector.domain.connection import ConnectionState, Credentials, Findings, Subscribed
from connector.tables.shops import Seal

MOST_OFFERS = 5
HEARD_PROVES = timedelta(hours=24)
"""For how long one webhook proves that webhooks come."""
LEASE = timedelta(minutes=4)
"""How long who claimed one holds it; begun anew between the parts of a long step."""
SOON = timedelta(minutes=5)
"""How long the watchdog takes to come when something is odd; longer than it holds a connection."""
BROKEN_FOR = timedelta(minutes=15)
"""How long a connection that broke rests before it is tried again."""

connections = sa.Table(
    "connections",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("platform", sa.String(32), nullable=False),
    sa.Column("base", Words(1024), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("nonce_hash", sa.String(64), nullable=True, unique=True),
    sa.Column("invited_until", Moment, nullable=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("renew_at", Moment, nullable=True),
    sa.Column("renewing_until", Moment, nullable=True),
    sa.Column("run_at", Moment, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("problem", Words, nullable=False),
    sa.Column("findings", sa.LargeBinary, nullable=False),
    sa.Column("subscribed", sa.LargeBinary, nullable=False),
    sa.Column("proven_at", Moment, nullable=True),
    sa.Column("probed_at", Moment, nullable=True),
    sa.Column("checked_at", Moment, nullable=True),
    sa.Column("heard_at", Moment, nullable=True),
    sa.Column("healed", sa.Integer, nullable=False),
    sa.Column("repaired", sa.Integer, nullable=False),
)
sa.Index("ix_connections_due", connections.c.run_at)
sa.Index("ix_connections_renew", connections.c.renew_at)

AT_WORK = (ConnectionState.OFFERED, ConnectionState.CONNECTING, ConnectionState.CONNECTED, ConnectionState.BROKEN)
"""States in which the worker has something to do when `run_at` has come."""


@dataclass(frozen=True, slots=True)
class Vault:
    """What is sealed: credentials that hold, and offers nobody has proven yet, the newest first."""

    credentials: Credentials = field(default_factory=Credentials)
    offers: tuple[Mapping[str, str], ...] = field(default=(), repr=False)
    offered_at: datetime | None = None
    """When the newest of them came: what the platform says of an uninstall before that is of an earlier life."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One row without its secrets; `claims` only ever grows and is the token that proves who holds it."""

    shop_id: str
    platform: str
    base: str
    state: ConnectionState
    invited_until: datetime | None
    renew_at: datetime | None
    run_at: datetime
    claims: int
    failures: int
    """Tries in a row that did not succeed."""
    problem: str
    findings: Findings
    subscribed: Subscribed
    proven_at: datetime | None
    """When the platform last took an offer: what it says of an uninstall before that is of an earlier life."""
    probed_at: datetime | None
    """When the shop was last looked at as a whole."""
    checked_at: datetime | None
    """When the subscriptions were last looked at."""
    heard_at: datetime | None
    """When the last genuine webhook came, to within half a minute."""
    healed: int
    """Orders whose news no webhook brought."""
    repaired: int
    """Subscriptions that had to be made anew or switched on again."""

    def webhooks_live(self, now: datetime) -> bool:
        """Whether webhooks are expected from this shop and are proven to come."""
        return self.subscribed.sends and self.heard_at is not None and now - self.heard_at <= HEARD_PROVES


_vault = msgspec.json.Decoder(Vault)
_findings = msgspec.json.Decoder(Findings)
_subscribed = msgspec.json.Decoder(Subscribed)
_READ: tuple[sa.Column[Any], ...] = tuple(
    column for column in connections.columns if column.name not in ("nonce_hash", "sealed", "version", "renewing_until")
)


def create(connection: sa.Connection, shop_id: str, platform: str, base: str, seal: Seal, now: datetime) -> None:
    """A row for a shop that has none, INVITED and without a link. One that is there is left alone."""
    row = {
        "shop_id": shop_id,
        "platform": platform,
        "base": base,
        "state": ConnectionState.INVITED.value,
        "sealed": seal.close(Vault()),
        "version": 0,
        "run_at": now,
        "claims": 0,
        "failures": 0,
        "problem": "",
        "findings": msgspec.json.encode(Findings()),
        "subscribed": msgspec.json.encode(Subscribed(())),
        "healed": 0,
        "repaired": 0,
    }
    connection.execute(insert_new(connection.dialect.name, connections), row)


def invite(connection: sa.Connection, shop_id: str, nonce: str, until: datetime) -> None:
    """Make the shop's link: the nonce itself is not kept. An older link ends."""
    _update(connection, shop_id, {"nonce_hash": _hash(nonce), "invited_until": until})


def by_nonce(connection: sa.Connection, nonce: str) -> Connection | None:
    """The connection an invitation's link belongs to, also when its time is over."""
    row = connection.execute(sa.select(*_READ).where(connections.c.nonce_hash == _hash(nonce))).one_or_none()
    return _connection(row) if row else None


def get(connection: sa.Connection, shop_id: str, *, lock: bool = False) -> Connection | None:
    """One shop's connection; None for a shop that only sends.

    `lock`: nobody else changes the row until the transaction ends. Who needs the shop's own row too takes it after.
    """
    statement = sa.select(*_READ).where(connections.c.shop_id == shop_id)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    return _connection(row) if row else None


def everyone(connection: sa.Connection) -> dict[str, Connection]:
    """All connections by shop id."""
    return {row.shop_id: _connection(row) for row in connection.execute(sa.select(*_READ))}


def offer(connection: sa.Connection, shop_id: str, values: Mapping[str, str], seal: Seal, now: datetime) -> None:
    """Keep what somebody handed over; the worker proves it, the newest first. What holds already goes on holding."""
    vault, version = open_vault(connection, shop_id, seal, lock=True)
    offers = (values, *(one for one in vault.offers if one != values))[:MOST_OFFERS]
    changes = {
        "state": ConnectionState.OFFERED.value,
        "run_at": now,
        "claims": connections.c.claims + 1,
        "failures": 0,
        "problem": "",
        "sealed": seal.close(replace(vault, offers=offers, offered_at=now)),
        "version": version + 1,
    }
    _update(connection, shop_id, changes)


def open_vault(connection: sa.Connection, shop_id: str, seal: Seal, *, lock: bool = False) -> tuple[Vault, int]:
    """The sealed part and its version. Raises KeyError for a shop without a connection.

    `lock`: nobody else changes the row until the transaction ends.
    """
    statement = sa.select(connections.c.sealed, connections.c.version).where(connections.c.shop_id == shop_id)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise KeyError(shop_id)
    return seal.open_as(row.sealed, _vault), row.version


def keep(
    connection: sa.Connection,
    shop_id: str,
    vault: Vault,
    seal: Seal,
    *,
    version: int,
    renew_at: datetime | None,
) -> bool:
    """Replace the sealed part if it is still the version that was read; also lets go of the renewal."""
    changed = connection.execute(
        sa.update(connections)
        .where(connections.c.shop_id == shop_id, connections.c.version == version)
        .values(sealed=seal.close(vault), version=version + 1, renew_at=renew_at, renewing_until=None)
    )
    return changed.rowcount == 1


def hold_renewal(connection: sa.Connection, shop_id: str, now: datetime, lease: timedelta) -> bool:
    """Whether the caller is the one who renews this shop's credentials until the lease is over."""
    free = sa.or_(connections.c.renewing_until.is_(None), connections.c.renewing_until <= now)
    changed = connection.execute(
        sa.update(connections).where(connections.c.shop_id == shop_id, free).values(renewing_until=now + lease)
    )
    return changed.rowcount == 1


def let_go(connection: sa.Connection, shop_id: str, until: datetime, *, renew_at: datetime | None = None) -> None:
    """Give back the renewal that was held `until` then; the clock tries again at `renew_at` if one is given."""
    mine = sa.and_(connections.c.shop_id == shop_id, connections.c.renewing_until == until)
    changes: dict[str, object] = {"renewing_until": None} | ({"renew_at": renew_at} if renew_at else {})
    connection.execute(sa.update(connections).where(mine).values(changes))


def due_for_renewal(connection: sa.Connection, now: datetime, *, limit: int, busy: Collection[str] = ()) -> list[str]:
    """Shops whose credentials want renewing and that nobody renews right now, the most urgent first."""
    wanted = sa.and_(
        connections.c.renew_at <= now,
        connections.c.state != ConnectionState.ENDED.value,
        connections.c.shop_id.not_in(list(busy)),
        sa.or_(connections.c.renewing_until.is_(None), connections.c.renewing_until <= now),
    )
    rows = connection.execute(
        sa.select(connections.c.shop_id).where(wanted).order_by(connections.c.renew_at).limit(limit)
    )
    return [row.shop_id for row in rows]


def claim(
    connection: sa.Connection, now: datetime, *, lease: timedelta, limit: int, busy: Collection[str] = ()
) -> list[Connection]:
    """Take connections with something to do; nobody else gets them until the lease is over."""
    due = (
        sa.select(connections.c.shop_id)
        .where(connections.c.run_at <= now, connections.c.state.in_([state.value for state in AT_WORK]))
        .where(connections.c.shop_id.not_in(list(busy)))
        .order_by(connections.c.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = connection.execute(
        sa.update(connections)
        .where(connections.c.shop_id.in_(sa.select(due.c.shop_id)))
        .values(run_at=now + lease, claims=connections.c.claims + 1)
        .returning(*_READ)
    ).all()
    return [_connection(row) for row in rows]


def hold(connection: sa.Connection, held: Connection, until: datetime) -> bool:
    """Go on holding a claimed connection; False when it has moved on meanwhile, as in `advance`."""
    mine = sa.and_(connections.c.shop_id == held.shop_id, connections.c.claims == held.claims)
    changed = connection.execute(
        sa.update(connections).where(mine, connections.c.state == held.state.value).values(run_at=until)
    )
    return changed.rowcount == 1


def advance(
    connection: sa.Connection,
    held: Connection,
    *,
    state: ConnectionState,
    run_at: datetime,
    problem: str = "",
    failures: int = 0,
    findings: Findings | None = None,
    subscribed: Subscribed | None = None,
    probed_at: datetime | None = None,
    checked_at: datetime | None = None,
) -> bool:
    """Write down how far a claimed connection has come; False (and nothing written) when it has moved on meanwhile:
    another worker holds it, or it was offered new credentials, or it ended."""
    changes: dict[str, object] = {"state": state.value, "run_at": run_at, "problem": problem, "failures": failures}
    if findings is not None:
        changes["findings"] = msgspec.json.encode(findings)
    if subscribed is not None:
        changes["subscribed"] = msgspec.json.encode(subscribed)
        changes["repaired"] = connections.c.repaired + len(subscribed.repairs)
    if probed_at is not None:
        changes["probed_at"] = probed_at
    if checked_at is not None:
        changes["checked_at"] = checked_at
    changed = connection.execute(
        sa.update(connections)
        .where(connections.c.shop_id == held.shop_id, connections.c.claims == held.claims)
        .where(connections.c.state == held.state.value)
        .values(changes)
    )
    return changed.rowcount == 1


def settle(
    connection: sa.Connection, shop_id: str, state: ConnectionState, now: datetime, problem: str, *, proven: bool
) -> None:
    """Write down what became of offers, whoever holds the connection; its vault is kept in the same transaction."""
    changes: dict[str, object] = {
        "state": state.value,
        "run_at": now,
        "claims": connections.c.claims + 1,
        "failures": 0,
        "problem": problem,
    }
    _update(connection, shop_id, changes | ({"proven_at": now} if proven else {}))


def connected(shop_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether the shop of a row can be asked, for other tables' questions.

    Asked row by row: a list of all such shops SQLite would take for the place to begin, and read everything of theirs
    to find the few rows that are due.
    """
    return _is_in(shop_id, ConnectionState.CONNECTED)


def answering(shop_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether hints of the shop of a row can be followed: it can be asked, or has left and there is nothing to ask."""
    return _is_in(shop_id, ConnectionState.CONNECTED, ConnectionState.ENDED)


def _is_in(shop_id: sa.ColumnElement[str], *states: ConnectionState) -> sa.ColumnElement[bool]:
    there = sa.and_(connections.c.shop_id == shop_id, connections.c.state.in_([state.value for state in states]))
    return sa.exists().where(there)


def look_soon(connection: sa.Connection, shop_id: str, now: datetime) -> None:
    """Let the watchdog look within SOON, whoever is at work on this connection right now."""
    resting = sa.and_(connections.c.shop_id == shop_id, connections.c.run_at > now + SOON)
    at_work = connections.c.state == ConnectionState.CONNECTED.value
    connection.execute(sa.update(connections).where(resting, at_work).values(run_at=now + SOON))


def release(connection: sa.Connection, now: datetime) -> None:
    """Make every connection that is on its way due at once: for a start when no other worker can be alive."""
    on_its_way = connections.c.state.in_([ConnectionState.OFFERED.value, ConnectionState.CONNECTING.value])
    connection.execute(sa.update(connections).where(on_its_way).values(run_at=now))


def hasten(connection: sa.Connection, shop_id: str, now: datetime) -> None:
    """Let the worker look at this connection now, and at the whole shop."""
    _update(connection, shop_id, {"run_at": now, "probed_at": None})


def keep_off(connection: sa.Connection, shop_id: str, until: datetime) -> None:
    """Nobody is at this connection until then; who is right now goes no further than the part at hand."""
    _update(connection, shop_id, {"run_at": until, "claims": connections.c.claims + 1})


def end(connection: sa.Connection, shop_id: str, seal: Seal, problem: str) -> None:
    """Forget all credentials and do nothing more for this shop, whoever is at it right now."""
    changes = {
        "state": ConnectionState.ENDED.value,
        "problem": problem,
        "claims": connections.c.claims + 1,
        "sealed": seal.close(Vault()),
        "version": connections.c.version + 1,
        "nonce_hash": None,
        "renew_at": None,
        "renewing_until": None,
    }
    _update(connection, shop_id, changes)


def break_down(connection: sa.Connection, shop_id: str, problem: str, now: datetime) -> None:
    """A connection at work does not work any more; the watchdog tries again by and by."""
    changes = {"state": ConnectionState.BROKEN.value, "problem": problem, "run_at": now + BROKEN_FOR}
    at_work = connections.c.state.in_([ConnectionState.CONNECTING.value, ConnectionState.CONNECTED.value])
    connection.execute(sa.update(connections).where(connections.c.shop_id == shop_id, at_work).values(changes))


def begin_again(connection: sa.Connection, shop_id: str, base: str, now: datetime) -> None:
    """An ended connection is invited anew; what was true of the old one proves nothing."""
    changes = {
        "state": ConnectionState.INVITED.value,
        "base": base,
        "problem": "",
        "run_at": now,
        "failures": 0,
        "subscribed": msgspec.json.encode(Subscribed(())),
        "probed_at": None,
        "checked_at": None,
        "heard_at": None,
    }
    _update(connection, shop_id, changes)


def left_among(connection: sa.Connection, shop_ids: Collection[str]) -> set[str]:
    """Those of these shops whose connection has ended, at this very moment."""
    wanted = sa.and_(connections.c.shop_id.in_(list(shop_ids)), connections.c.state == ConnectionState.ENDED.value)
    return set(connection.execute(sa.select(connections.c.shop_id).where(wanted)).scalars())


def forget_findings(connection: sa.Connection, shop_id: str) -> None:
    """Nothing of what a look at the shop told is kept."""
    _update(connection, shop_id, {"findings": msgspec.json.encode(Findings())})


def rebase(connection: sa.Connection, shop_id: str, base: str) -> None:
    """The same shop's API lives at another address."""
    _update(connection, shop_id, {"base": base})


def heard(connection: sa.Connection, moments: Mapping[str, datetime]) -> None:
    """Remember when each shop's last webhook came."""
    for shop_id, moment in sorted(moments.items()):
        _update(connection, shop_id, {"heard_at": moment})


def count_healed(connection: sa.Connection, healed: Mapping[str, int], now: datetime) -> None:
    """Add to the gaps that were healed, by shop. The watchdog looks at those shops soon: where one webhook was lost,
    the subscription may be gone. Where none can be expected there is nothing to look for."""
    for shop_id, count in sorted(healed.items()):
        _update(connection, shop_id, {"healed": connections.c.healed + count})
        known = get(connection, shop_id)
        if known is not None and known.subscribed.sends:
            look_soon(connection, shop_id, now)


def _update(connection: sa.Connection, shop_id: str, values: dict[str, Any]) -> None:
    connection.execute(sa.update(connections).where(connections.c.shop_id == shop_id).values(values))


def _hash(nonce: str) -> str:
    return hashlib.sha256(nonce.encode("utf-8", "surrogatepass")).hexdigest()


def _connection(row: sa.Row[Any]) -> Connection:
    return Connection(
        shop_id=row.shop_id,
        platform=row.platform,
        base=row.base,
        state=ConnectionState(row.state),
        invited_until=row.invited_until,
        renew_at=row.renew_at,
        run_at=row.run_at,
        claims=row.claims,
        failures=row.failures,
        problem=row.problem,
        findings=_findings.decode(row.findings),
        subscribed=_subscribed.decode(row.subscribed),
        proven_at=row.proven_at,
        probed_at=row.probed_at,
        checked_at=row.checked_at,
        heard_at=row.heard_at,
        healed=row.healed,
        repaired=row.repaired,
    )
