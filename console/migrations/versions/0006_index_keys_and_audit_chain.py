"""the ids of index keys, and the chain of the audit log"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("index_key", sa.String(length=8), nullable=True))
    with op.batch_alter_table("deed") as table:
        table.add_column(sa.Column("network", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("seq", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("prev_hash", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("row_hash", sa.String(length=64), nullable=True))
        table.create_unique_constraint("uq_deed_seq", ["seq"])
    op.create_index(
        "ix_deed_unchained",
        "deed",
        ["at"],
        postgresql_where=sa.text("seq IS NULL"),
        sqlite_where=sa.text("seq IS NULL"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("row_hash", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    # The service never creates this row, so that a deleted one is noticed. It has the key, and seals the first end.
    op.bulk_insert(head, [{"id": 1, "seq": 0, "row_hash": "0" * 64, "seal": ""}])


def downgrade() -> None:
    op.drop_table("audit_head")
    op.drop_index("ix_deed_unchained", "deed")
    with op.batch_alter_table("deed") as table:
        table.drop_constraint("uq_deed_seq", type_="unique")
        for column in ("row_hash", "prev_hash", "seq", "network"):
            table.drop_column(column)
    op.drop_column("case", "index_key")
