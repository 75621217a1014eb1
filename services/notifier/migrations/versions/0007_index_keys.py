"""the ids of index keys"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("index_key", sa.String(length=8), nullable=True))


def downgrade() -> None:
    op.drop_column("message", "index_key")
