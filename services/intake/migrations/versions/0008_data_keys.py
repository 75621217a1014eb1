"""data keys, and the objects of encrypted files

Rows from before stay as they are: their values are encrypted with the vault's key itself, and their files are in the
object store in clear, under their ids. This version reads both layouts; replicas of the version before read only that.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_key",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_key")),
    )
    for table in ("attachment", "answer_file"):
        op.add_column(table, sa.Column("object_key", sa.String(length=36), nullable=True))


def downgrade() -> None:
    for table in ("answer_file", "attachment"):
        op.drop_column(table, "object_key")
    op.drop_table("data_key")
