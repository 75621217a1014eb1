"""handovers"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("report_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tracking_code"], ["case.tracking_code"], name=op.f("fk_handover_tracking_code_case")),
        sa.PrimaryKeyConstraint("tracking_code", "province", name=op.f("pk_handover")),
    )


def downgrade() -> None:
    op.drop_table("handover")
