"""indexes for pruning, which read the whole tables of events"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_outbox_sent"),
        "outbox",
        ["sent_at"],
        postgresql_where=sa.text("sent_at IS NOT NULL"),
        sqlite_where=sa.text("sent_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_inbox_received_at"), "inbox", ["received_at"])
    if op.get_bind().dialect.name == "postgresql":  # by default, after a fifth of the rows has changed
        op.execute("ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000)")
        op.execute("ALTER TABLE message SET (autovacuum_vacuum_scale_factor = 0.05)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)")
        op.execute("ALTER TABLE message RESET (autovacuum_vacuum_scale_factor)")
    op.drop_index(op.f("ix_inbox_received_at"), "inbox")
    op.drop_index(op.f("ix_outbox_sent"), "outbox")
