"""The template file of a message, the number of its event, and an index of failed messages.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("wording", sa.String(64)))
    op.add_column("message", sa.Column("seq", sa.Integer()))
    failed = sa.text("state = 'failed'")
    op.create_index("ix_message_failed", "message", ["created_at"], postgresql_where=failed, sqlite_where=failed)


def downgrade() -> None:
    op.drop_index("ix_message_failed", "message")
    op.drop_column("message", "seq")
    op.drop_column("message", "wording")
