"""versions of the catalogue, drafts, and the version of each request"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalog_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=600), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_catalog_version")),
    )
    op.create_table(
        "catalog_draft",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("preview", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=600), nullable=False),
        sa.Column("editors", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_draft")),
        sa.UniqueConstraint("preview", name=op.f("uq_catalog_draft_preview")),
    )
    op.add_column("request", sa.Column("catalog_version", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("request", "catalog_version")
    op.drop_table("catalog_draft")
    op.drop_table("catalog_version")
