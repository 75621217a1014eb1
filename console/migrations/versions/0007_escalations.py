"""what headquarters is notified of: late answers and silent offices"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, key in (
        ("escalation", sa.Column("tracking_code", sa.String(12))),
        ("silence", sa.Column("office", sa.String(40))),
    ):
        op.create_table(
            name,
            key,
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("document", sa.Text(), nullable=False),
            sa.Column("closed_at", sa.DateTime(timezone=True)),
            sa.PrimaryKeyConstraint(key.name, name=op.f(f"pk_{name}")),
        )
        op.create_index(f"ix_{name}_open", name, ["closed_at", "at"])


def downgrade() -> None:
    op.drop_table("silence")
    op.drop_table("escalation")
