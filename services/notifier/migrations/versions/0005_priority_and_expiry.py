"""Priority and expiry of messages, for codes that are sent before all others.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from desk.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UNFINISHED = sa.text("state IN ('queued', 'claimed')")


def upgrade() -> None:
    op.add_column("message", sa.Column("priority", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("message", sa.Column("expires_at", UtcDateTime()))
    _replace_index("channel", "priority", "next_try_at")


def downgrade() -> None:
    _replace_index("channel", "next_try_at")
    op.drop_column("message", "expires_at")
    op.drop_column("message", "priority")


def _replace_index(*columns: str) -> None:
    op.drop_index("ix_message_unfinished", "message")
    op.create_index("ix_message_unfinished", "message", columns, postgresql_where=_UNFINISHED, sqlite_where=_UNFINISHED)
