"""Parcels without a number whose platform says nothing when one is added: looked at again until there is one."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from connector.database import Database, Moment, insert_new, metadata
from connector.tables import connections

MOST_AT_ONCE = 50

watched_parcels = sa.Table(
    "watched_parcels",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("shipment_id", sa.String(64), primary_key=True),
    sa.Column("order_id", sa.String(64), nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("run_at", Moment, nullable=False),
)
sa.Index("ix_watched_parcels_due", watched_parcels.c.run_at)


@dataclass(frozen=True, slots=True)
class Watched:
    """One parcel that is looked at again and again."""

    shop_id: str
    shipment_id: str
    order_id: str
    since: datetime
    """UTC, when it was first seen without a number."""


def watch(database: Database, connection: sa.Connection, parcels: Iterable[Watched], run_at: datetime) -> None:
    """Look at these from `run_at` on; one that is watched already stays as it is."""
    rows = [
        {
            "shop_id": one.shop_id,
            "shipment_id": one.shipment_id,
            "order_id": one.order_id,
            "since": one.since,
            "run_at": run_at,
        }
        for one in parcels
    ]
    if rows:
        connection.execute(insert_new(database.dialect, watched_parcels), rows)


def claim(
    connection: sa.Connection, now: datetime, *, lease: timedelta, shops: int, busy: Collection[str] = ()
) -> dict[str, list[Watched]]:
    """Due parcels of a few shops that can be asked, by shop, as many as one question can name; nobody else gets them
    within the lease."""
    due = sa.and_(
        watched_parcels.c.run_at <= now,
        watched_parcels.c.shop_id.not_in(list(busy)),
        connections.connected(watched_parcels.c.shop_id),
    )
    # Gathered first and put together by shop after that: so the index over `run_at` is used, and not every parcel there
    # is looked at once a second.
    gathered = (
        sa.select(watched_parcels.c.shop_id, watched_parcels.c.run_at).where(due).cte("due").prefix_with("MATERIALIZED")
    )
    first = (
        sa.select(gathered.c.shop_id).group_by(gathered.c.shop_id).order_by(sa.func.min(gathered.c.run_at)).limit(shops)
    )
    found: dict[str, list[Watched]] = {}
    for shop_id in connection.execute(first).scalars().all():
        mine = sa.and_(watched_parcels.c.shop_id == shop_id, watched_parcels.c.run_at <= now)
        rows = connection.execute(
            sa.select(watched_parcels)
            .where(mine)
            .order_by(watched_parcels.c.run_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        found[shop_id] = [Watched(row.shop_id, row.shipment_id, row.order_id, row.since) for row in rows]
        _set(connection, found[shop_id], now + lease)
    return {shop_id: parcels for shop_id, parcels in found.items() if parcels}


def postpone(connection: sa.Connection, parcels: Iterable[Watched], run_at: datetime) -> None:
    """Look again later."""
    _set(connection, list(parcels), run_at)


def forget(connection: sa.Connection, shop_id: str, shipment_ids: Collection[str]) -> None:
    """There is a number, or nobody waits for one any more."""
    wanted = sa.and_(watched_parcels.c.shop_id == shop_id, watched_parcels.c.shipment_id.in_(list(shipment_ids)))
    connection.execute(sa.delete(watched_parcels).where(wanted))


def forget_shop(connection: sa.Connection, shop_id: str) -> None:
    """The shop has left."""
    connection.execute(sa.delete(watched_parcels).where(watched_parcels.c.shop_id == shop_id))


def _set(connection: sa.Connection, parcels: list[Watched], run_at: datetime) -> None:
    for one in parcels:
        key = sa.and_(watched_parcels.c.shop_id == one.shop_id, watched_parcels.c.shipment_id == one.shipment_id)
        connection.execute(sa.update(watched_parcels).where(key).values(run_at=run_at))
