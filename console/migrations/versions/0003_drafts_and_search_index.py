"""drafts of texts, and the version of a case's search index"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("index_version", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "draft",
        sa.Column("account", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.String(length=12), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_draft_account_account")),
        sa.PrimaryKeyConstraint("account", "subject", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_saved_at"), "draft", ["saved_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_draft_saved_at"), table_name="draft")
    op.drop_table("draft")
    op.drop_column("case", "index_version")
