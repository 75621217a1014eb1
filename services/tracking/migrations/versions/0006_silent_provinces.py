"""silent provinces"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "silence",
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("province", name=op.f("pk_silence")),
    )
    op.create_index("ix_case_waiting", "case", ["state", "since"], unique=False)
    op.create_index("ix_case_submitted_at", "case", ["submitted_at"], unique=False)
    op.create_index("ix_step_recorded_at", "step", ["recorded_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_step_recorded_at", table_name="step")
    op.drop_index("ix_case_submitted_at", table_name="case")
    op.drop_index("ix_case_waiting", table_name="case")
    op.drop_table("silence")
