"""the colleague whom a case is assigned to"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("assignee", sa.String(36)))
    op.create_index("ix_case_assignee", "case", ["assignee", "due_at"])


def downgrade() -> None:
    op.drop_index("ix_case_assignee", "case")
    op.drop_column("case", "assignee")
