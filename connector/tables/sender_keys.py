"""Public keys of senders that sign for many receivers: which are wanted, and when they were fetched."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from connector.database import Database, Moment, insert_new, metadata

sender_keys = sa.Table(
    "sender_keys",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("url", sa.String(255), primary_key=True),
    sa.Column("path", sa.String(255), nullable=False),
    sa.Column("run_at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
)


def want(database: Database, connection: sa.Connection, shop_id: str, url: str, path: str, now: datetime) -> None:
    """Note a key to fetch; one that is wanted already keeps its turn."""
    row = {"shop_id": shop_id, "url": url, "path": path, "run_at": now, "attempts": 0}
    connection.execute(insert_new(database.dialect, sender_keys), row)


def due(connection: sa.Connection, now: datetime, *, limit: int = 20) -> list[tuple[str, str, str]]:
    """Shop id, url and path of keys to fetch now."""
    rows = connection.execute(
        sa.select(sender_keys.c.shop_id, sender_keys.c.url, sender_keys.c.path)
        .where(sender_keys.c.run_at <= now)
        .order_by(sender_keys.c.run_at)
        .limit(limit)
    )
    return [(row.shop_id, row.url, row.path) for row in rows]


def postpone(connection: sa.Connection, shop_id: str, url: str, now: datetime) -> None:
    """Try again later: after a minute at first, an hour at most."""
    where = sa.and_(sender_keys.c.shop_id == shop_id, sender_keys.c.url == url)
    attempts: int = connection.execute(sa.select(sender_keys.c.attempts).where(where)).scalar_one()
    later = now + timedelta(minutes=min(60, 2**attempts))
    connection.execute(sa.update(sender_keys).where(where).values(run_at=later, attempts=attempts + 1))


def forget(connection: sa.Connection, shop_id: str, url: str) -> None:
    """The key is there, or no longer wanted."""
    connection.execute(sa.delete(sender_keys).where(sender_keys.c.shop_id == shop_id, sender_keys.c.url == url))
