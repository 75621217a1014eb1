"""erasures: certificates, acknowledgements, and figures about erased cases"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["tracking_code"], ["case.tracking_code"], name=op.f("fk_erasure_tracking_code_case")),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("tracking_code", name=op.f("uq_erasure_tracking_code")),
    )
    op.create_table(
        "erasing_party",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("informed_only", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed", sa.String(length=400), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["erasure.certificate_id"], name=op.f("fk_erasing_party_certificate_id_erasure")
        ),
        sa.PrimaryKeyConstraint("certificate_id", "party", name=op.f("pk_erasing_party")),
    )
    pending = sa.text("acknowledged_at IS NULL AND informed_only IS false")
    op.create_index(
        "ix_erasing_party_pending", "erasing_party", ["asked_at"], postgresql_where=pending, sqlite_where=pending
    )
    op.create_table(
        "figure",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("sub_subject", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("answer_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "province", "subject", "sub_subject", "state", name=op.f("pk_figure")),
    )


def downgrade() -> None:
    op.drop_table("figure")
    op.drop_table("erasing_party")
    op.drop_table("erasure")
