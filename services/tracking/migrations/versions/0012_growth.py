"""indexes for pruning and for the search for expired and silent cases, which read whole tables

The time of the last change is filled in for cases from before migration 0004 that have no history.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
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
    op.create_index(op.f("ix_refusal_at"), "refusal", ["at"])
    op.execute(sa.text('UPDATE "case" SET since = submitted_at WHERE since IS NULL'))
    if op.get_bind().dialect.name == "postgresql":  # by default, after a fifth of the rows has changed
        op.execute("ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)")
    op.drop_index(op.f("ix_refusal_at"), "refusal")
    op.drop_index(op.f("ix_inbox_received_at"), "inbox")
    op.drop_index(op.f("ix_outbox_sent"), "outbox")
