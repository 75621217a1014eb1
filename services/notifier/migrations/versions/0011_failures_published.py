"""whether tracking was notified that a message failed; those that failed before are not published any more"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("failure_published", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE message SET failure_published = true WHERE state = 'failed'")
    unpublished = sa.text("state = 'failed' AND NOT failure_published")
    op.create_index(
        op.f("ix_message_failure_unpublished"),
        "message",
        ["created_at"],
        postgresql_where=unpublished,
        sqlite_where=unpublished,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_message_failure_unpublished"), "message")
    op.drop_column("message", "failure_published")
