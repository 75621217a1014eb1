"""when the present office has to answer, if it got the case after the promised day"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("office_due_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("case", "office_due_at")
