"""Connections with their sweeps, watched parcels and privacy requests; where documents and messages come from."""

import sqlalchemy as sa
from alembic import op

from connector.database import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connections",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("nonce_hash", sa.String(length=64), nullable=True),
        sa.Column("invited_until", Moment(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("renew_at", Moment(), nullable=True),
        sa.Column("renewing_until", Moment(), nullable=True),
        sa.Column("run_at", Moment(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.Column("subscribed", sa.LargeBinary(), nullable=False),
        sa.Column("proven_at", Moment(), nullable=True),
        sa.Column("probed_at", Moment(), nullable=True),
        sa.Column("checked_at", Moment(), nullable=True),
        sa.Column("heard_at", Moment(), nullable=True),
        sa.Column("healed", sa.Integer(), nullable=False),
        sa.Column("repaired", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", name="pk_connections"),
        sa.UniqueConstraint("nonce_hash", name="uq_connections_nonce_hash"),
    )
    op.create_index("ix_connections_due", "connections", ["run_at"], unique=False)
    op.create_index("ix_connections_renew", "connections", ["renew_at"], unique=False)
    op.create_table(
        "privacy_requests",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "request_id", name="pk_privacy_requests"),
    )
    op.create_index("ix_privacy_requests_due_at", "privacy_requests", ["due_at"], unique=False)
    op.create_table(
        "sweeps",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("watermark", Moment(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("newest", Moment(), nullable=True),
        sa.Column("run_at", Moment(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=True),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "kind", name="pk_sweeps"),
    )
    op.create_index("ix_sweeps_due", "sweeps", ["run_at"], unique=False)
    op.create_table(
        "watched_parcels",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("run_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "shipment_id", name="pk_watched_parcels"),
    )
    op.create_index("ix_watched_parcels_due", "watched_parcels", ["run_at"], unique=False)
    op.add_column("documents", sa.Column("restricted_at", Moment(), nullable=True))
    op.add_column("inbox", sa.Column("source", sa.String(length=16), nullable=False, server_default="webhook"))
    op.add_column("outbox", sa.Column("details", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("outbox", "details")
    op.drop_column("inbox", "source")
    op.drop_column("documents", "restricted_at")
    for table in ("watched_parcels", "sweeps", "privacy_requests", "connections"):
        op.drop_table(table)
