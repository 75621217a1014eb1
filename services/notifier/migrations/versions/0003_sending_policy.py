"""When the first attempt of a message is due; the rate limit of a recipient counts by it.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("due_at", sa.DateTime(timezone=True)))
    op.drop_index("ix_message_recipient_index_created_at", "message")
    op.create_index("ix_message_recipient_index_due_at", "message", ["recipient_index", "due_at"])


def downgrade() -> None:
    op.drop_index("ix_message_recipient_index_due_at", "message")
    op.create_index("ix_message_recipient_index_created_at", "message", ["recipient_index", "created_at"])
    op.drop_column("message", "due_at")
