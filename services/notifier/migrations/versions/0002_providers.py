"""The provider of a message, the index of its recipient, and the recent attempts of each provider.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("provider", sa.String(16)))
    op.add_column("message", sa.Column("recipient_index", sa.String(64)))
    op.create_index("ix_message_provider_provider_reference", "message", ["provider", "provider_reference"])
    op.create_index("ix_message_recipient_index_created_at", "message", ["recipient_index", "created_at"])
    awaited = sa.text("state = 'handed_over' AND provider IS NOT NULL")
    op.create_index("ix_message_awaited", "message", ["next_try_at"], postgresql_where=awaited, sqlite_where=awaited)
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bad", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_at", "attempt", ["at"])
    op.create_index("ix_attempt_message_id", "attempt", ["message_id"])


def downgrade() -> None:
    op.drop_table("attempt")
    op.drop_index("ix_message_awaited", "message")
    op.drop_index("ix_message_recipient_index_created_at", "message")
    op.drop_index("ix_message_provider_provider_reference", "message")
    op.drop_column("message", "recipient_index")
    op.drop_column("message", "provider")
