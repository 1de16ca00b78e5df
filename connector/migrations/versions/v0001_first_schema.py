"""The first schema: shops, inbox, orders, timeline, outbox, documents, sender keys."""

import sqlalchemy as sa
from alembic import op

from connector.database import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_series",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("next_serial", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "series", name="pk_document_series"),
    )
    op.create_table(
        "documents",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("requested_at", Moment(), nullable=False),
        sa.Column("run_at", Moment(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("series", sa.String(length=64), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(length=96), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=True),
        sa.Column("issued_at", Moment(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "order_id", "kind", "subject", name="pk_documents"),
        sa.UniqueConstraint("shop_id", "series", "serial", name="uq_documents_shop_id_series_serial"),
    )
    op.create_index(
        "ix_documents_due",
        "documents",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('requested', 'blocked')"),
        postgresql_where=sa.text("state IN ('requested', 'blocked')"),
    )
    op.create_table(
        "inbox_bytes",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("path_event", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "delivery_id", name="pk_inbox_bytes"),
    )
    op.create_table(
        "messages",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "intent_id", name="pk_messages"),
    )
    op.create_table(
        "inbox",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("run_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "delivery_id", name="pk_inbox"),
        sa.UniqueConstraint("shop_id", "idempotency_key", name="uq_inbox_shop_id_idempotency_key"),
    )
    op.create_index(
        "ix_inbox_attention",
        "inbox",
        ["state", "run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'review', 'dead')"),
        postgresql_where=sa.text("state IN ('waiting', 'review', 'dead')"),
    )
    op.create_index(
        "ix_inbox_due",
        "inbox",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('new', 'claimed')"),
        postgresql_where=sa.text("state IN ('new', 'claimed')"),
    )
    op.create_index("ix_inbox_order", "inbox", ["shop_id", "order_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("placed_at", Moment(), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "order_id", name="pk_orders"),
    )
    op.create_index("ix_orders_number", "orders", ["shop_id", "number"], unique=False)
    op.create_index("ix_orders_placed_at", "orders", ["shop_id", "placed_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("invoice", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("run_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "intent_id", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_attention",
        "outbox",
        ["state", "run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('handing_over', 'review', 'failed')"),
        postgresql_where=sa.text("state IN ('handing_over', 'review', 'failed')"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'claimed')"),
        postgresql_where=sa.text("state IN ('pending', 'claimed')"),
    )
    op.create_index("ix_outbox_order", "outbox", ["shop_id", "order_id"], unique=False)
    op.create_table(
        "sender_keys",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.String(length=255), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("run_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "url", name="pk_sender_keys"),
    )
    op.create_table(
        "shops",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("connected_at", Moment(), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", name="pk_shops"),
        sa.UniqueConstraint("key", name="uq_shops_key"),
        sa.UniqueConstraint("platform", "host", name="uq_shops_platform_host"),
    )
    op.create_table(
        "timeline",
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("occurred_at", Moment(), nullable=False),
        sa.Column("learned_at", Moment(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "order_id", "tag", "subject", name="pk_timeline"),
    )


def downgrade() -> None:
    for table in (
        "timeline",
        "shops",
        "sender_keys",
        "outbox",
        "orders",
        "messages",
        "inbox",
        "inbox_bytes",
        "documents",
        "document_series",
    ):
        op.drop_table(table)
