"""until when the applicant has to answer the question"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("asked_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("case", "asked_until")
