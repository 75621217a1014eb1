"""until when the applicant has to answer a question, and whether a reminder was sent"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("question_until", sa.DateTime(timezone=True)))
    op.add_column("case", sa.Column("reminded", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("case", "reminded")
    op.drop_column("case", "question_until")
