"""proven mobiles: which requests have one, and which pending identities go first

Replicas of the version before leave ``mobile_index`` empty, and the other columns false.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("request", sa.Column("mobile_index", sa.String(length=64), nullable=True))
    op.add_column("request", sa.Column("mobile_proven", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_request_mobile_index"), "request", ["mobile_index"])
    op.add_column("identity_check", sa.Column("mobile_known", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("identity_check", "mobile_known")
    op.drop_index(op.f("ix_request_mobile_index"), table_name="request")
    op.drop_column("request", "mobile_proven")
    op.drop_column("request", "mobile_index")
