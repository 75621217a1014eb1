"""The audit of look-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lookup",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("number_index", sa.String(64), nullable=False),
        sa.Column("source_index", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lookup"),
    )
    op.create_index("ix_lookup_number_index_at", "lookup", ["number_index", "at"])


def downgrade() -> None:
    op.drop_index("ix_lookup_number_index_at", "lookup")
    op.drop_table("lookup")
