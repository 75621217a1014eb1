"""indexes for pruning, erasure and the comparison with tracking, which read whole tables"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
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
    op.create_index(op.f("ix_request_submitted_at"), "request", ["submitted_at"])
    op.create_index(
        op.f("ix_attachment_reply_request_id"),
        "attachment",
        ["reply_request_id"],
        postgresql_where=sa.text("reply_request_id IS NOT NULL"),
        sqlite_where=sa.text("reply_request_id IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "postgresql":  # by default, after a fifth of the rows has changed
        op.execute("ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)")
    op.drop_index(op.f("ix_attachment_reply_request_id"), "attachment")
    op.drop_index(op.f("ix_request_submitted_at"), "request")
    op.drop_index(op.f("ix_inbox_received_at"), "inbox")
    op.drop_index(op.f("ix_outbox_sent"), "outbox")
