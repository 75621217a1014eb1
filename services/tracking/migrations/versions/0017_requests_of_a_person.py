"""by whom a case is listed: the keyed hash of its applicant's number and its contact's mobile

Afterwards a background task writes the hash of each case from before this migration, which only the service can read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UNINDEXED = "contact_index IS NULL"


def upgrade() -> None:
    op.add_column("case", sa.Column("contact_index", sa.String(length=64), nullable=True))
    op.execute("UPDATE \"case\" SET contact_index = '' WHERE state = 'erased'")
    op.create_index("ix_case_contact", "case", ["contact_index", "submitted_at"])
    op.create_index(
        "ix_case_unindexed",
        "case",
        ["submitted_at"],
        postgresql_where=sa.text(UNINDEXED),
        sqlite_where=sa.text(UNINDEXED),
    )


def downgrade() -> None:
    op.drop_index("ix_case_unindexed", "case")
    op.drop_index("ix_case_contact", "case")
    op.drop_column("case", "contact_index")
