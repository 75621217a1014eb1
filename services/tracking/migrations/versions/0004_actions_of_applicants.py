"""actions of applicants"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        'UPDATE "case" SET since = (SELECT max(recorded_at) FROM step WHERE step.tracking_code = "case".tracking_code)'
    )
    op.add_column("step", sa.Column("action", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("step", "action")
    op.drop_column("case", "since")
