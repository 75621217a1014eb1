"""deadlines"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("answer_days", sa.Integer(), nullable=True))
    op.add_column("case", sa.Column("overdue", sa.Integer(), server_default="0", nullable=False))
    op.add_column("case", sa.Column("alarm_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE \"case\" SET alarm_at = due_at WHERE state IN ('registered', 'received', 'in_progress', 'objected')"
    )
    op.create_index(
        "ix_case_alarm",
        "case",
        ["alarm_at"],
        unique=False,
        postgresql_where=sa.text("alarm_at IS NOT NULL"),
        sqlite_where=sa.text("alarm_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_alarm", table_name="case")
    op.drop_column("case", "alarm_at")
    op.drop_column("case", "overdue")
    op.drop_column("case", "answer_days")
