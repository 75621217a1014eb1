"""synthetic requests of desk-probe are found by an index of their own, because they are deleted after an hour"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    where = sa.text("office = 'probe'")
    op.create_index("ix_request_probe", "request", ["submitted_at"], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    op.drop_index("ix_request_probe", table_name="request")
