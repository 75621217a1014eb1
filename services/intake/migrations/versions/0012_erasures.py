"""erasures: what tracking asked to erase, and the objects that are still to be deleted"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("request", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("office", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("request_count", sa.Integer(), nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("key_count", sa.Integer(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_erasure")),
    )
    unfinished = sa.text("done_at IS NULL")
    op.create_index(
        "ix_erasure_unfinished", "erasure", ["erased_at"], postgresql_where=unfinished, sqlite_where=unfinished
    )
    op.create_table(
        "erased_object",
        sa.Column("object_key", sa.String(length=36), nullable=False),
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["erasure.certificate_id"], name=op.f("fk_erased_object_certificate_id_erasure")
        ),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_erased_object")),
    )
    op.create_index(op.f("ix_erased_object_certificate_id"), "erased_object", ["certificate_id"])


def downgrade() -> None:
    op.drop_table("erased_object")
    op.drop_table("erasure")
    op.drop_column("request", "erased_at")
