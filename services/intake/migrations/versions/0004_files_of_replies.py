"""files of replies"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attachment", sa.Column("reply", sa.String(length=64), nullable=True))
    op.add_column("attachment", sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_attachment_promised",
        "attachment",
        ["promised_at"],
        unique=False,
        postgresql_where=sa.text("promised_at IS NOT NULL"),
        sqlite_where=sa.text("promised_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_attachment_promised",
        table_name="attachment",
        postgresql_where=sa.text("promised_at IS NOT NULL"),
        sqlite_where=sa.text("promised_at IS NOT NULL"),
    )
    op.drop_column("attachment", "promised_at")
    op.drop_column("attachment", "reply")
