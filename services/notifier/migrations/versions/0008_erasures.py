"""erasures: the requests whose data was erased

Nothing else was published by notifier before: its outbox is empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tracking_code", name=op.f("pk_erasure")),
    )


def downgrade() -> None:
    op.drop_table("erasure")
