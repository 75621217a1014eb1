"""the malware scan of each file

Files from before have not been scanned: they are due at once, and are not handed out before they are clean.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("attachment", "answer_file"):
        op.add_column(table, sa.Column("scan_due_at", sa.DateTime(timezone=True), nullable=True))
        op.add_column(table, sa.Column("malware", sa.String(length=200), nullable=True))
        op.execute(sa.text(f"UPDATE {table} SET scan_due_at = uploaded_at"))  # noqa: S608 - our own two names
        op.create_index(
            op.f(f"ix_{table}_scan_due"),
            table,
            ["scan_due_at"],
            postgresql_where=sa.text("scan_due_at IS NOT NULL"),
            sqlite_where=sa.text("scan_due_at IS NOT NULL"),
        )


def downgrade() -> None:
    for table in ("answer_file", "attachment"):
        op.drop_index(op.f(f"ix_{table}_scan_due"), table)
        op.drop_column(table, "malware")
        op.drop_column(table, "scan_due_at")
