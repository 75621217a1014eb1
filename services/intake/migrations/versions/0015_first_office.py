"""the office that receives a request first, if it is not that of the province"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("request", sa.Column("office", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("request", "office")
