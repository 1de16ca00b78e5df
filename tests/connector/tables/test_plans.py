"""What is due is found by the index over its moment: looking for it costs nothing, however many shops there are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connector.database import Database
from connector.tables import connections, inbox, sweeps, watched_parcels

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=5)

LOOKED_FOR: dict[str, Callable[[sa.Connection], object]] = {
    "ix_sweeps_due": lambda connection: sweeps.claim(connection, NOW, lease=LEASE, limit=8, busy={"a", "b"}),
    "ix_connections_due": lambda connection: connections.claim(connection, NOW, lease=LEASE, limit=8, busy={"a"}),
    "ix_connections_renew": lambda connection: connections.due_for_renewal(connection, NOW, limit=8, busy={"a"}),
    "ix_watched_parcels_due": lambda connection: watched_parcels.claim(connection, NOW, lease=LEASE, shops=8),
    "ix_inbox_due": lambda connection: inbox.claim(connection, NOW, lease=LEASE, limit=20),
    "ix_inbox_attention": lambda connection: inbox.claim(connection, NOW, lease=LEASE, limit=10, waiting=True),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("index", LOOKED_FOR)
def test_looking_for_what_is_due_begins_with_its_index_and_reads_no_table_whole(database: Database, index: str) -> None:
    asked: list[tuple[str, Any]] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *event: asked.append((event[2], event[3])))
    with database.write() as connection:
        asked.clear()
        LOOKED_FOR[index](connection)
        statement, values = asked[0]
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert any(f"SEARCH {index.split('_')[1]}" in line and f"INDEX {index} " in line for line in plan), plan
    tables = ("sweeps", "connections", "watched_parcels", "inbox")
    assert not any(line.startswith(tuple(f"SCAN {table}" for table in tables)) for line in plan), plan
