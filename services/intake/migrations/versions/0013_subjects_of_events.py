"""the subject of events in the outbox, by which an erasure finds them"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("subject", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_outbox_subject"), "outbox", ["subject"])


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_subject"), table_name="outbox")
    op.drop_column("outbox", "subject")
