"""when an office had a case that it has no longer, and whether headquarters has commented on it"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("since", "until"):
        op.add_column("handover", sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column("case", sa.Column("commented", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("case", "commented")
    for name in ("since", "until"):
        op.drop_column("handover", name)
