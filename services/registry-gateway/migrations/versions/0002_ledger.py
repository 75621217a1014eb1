"""The audit of look-ups becomes a chain."""

import hashlib
import json
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEGINNING = "0" * 64


def upgrade() -> None:
    with op.batch_alter_table("lookup") as table:
        table.add_column(sa.Column("seq", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("prev_hash", sa.String(64), nullable=True))
        table.add_column(sa.Column("row_hash", sa.String(64), nullable=True))
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("row_hash", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_head"),
    )
    seq, row_hash = _chain()
    # The migration does not have the key; the service seals the head when it starts.
    op.bulk_insert(head, [{"id": 1, "seq": seq, "row_hash": row_hash, "seal": ""}])
    with op.batch_alter_table("lookup") as table:
        table.alter_column("seq", existing_type=sa.BigInteger(), nullable=False)
        table.alter_column("prev_hash", existing_type=sa.String(64), nullable=False)
        table.alter_column("row_hash", existing_type=sa.String(64), nullable=False)
        table.create_unique_constraint("uq_lookup_seq", ["seq"])


def _chain() -> tuple[int, str]:
    """Chain the existing rows in the order of their time; return the last number and hash."""
    names = ("id", "at", "purpose", "number_index", "source_index", "outcome")
    lookup = sa.table("lookup", *(sa.column(name) for name in (*names, "seq", "prev_hash", "row_hash")))
    lookup.c.at.type = sa.DateTime(timezone=True)
    bind = op.get_bind()
    seq, row_hash = 0, BEGINNING
    for row in bind.execute(sa.select(*(lookup.c[name] for name in names)).order_by(lookup.c.at, lookup.c.id)).all():
        seq, prev_hash = seq + 1, row_hash
        at = (row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)).astimezone(UTC)
        content = [seq, prev_hash, row.id, at.isoformat(timespec="microseconds")]
        content += [row.purpose, row.number_index, row.source_index, row.outcome]
        row_hash = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        bind.execute(
            sa.update(lookup).where(lookup.c.id == row.id).values(seq=seq, prev_hash=prev_hash, row_hash=row_hash)
        )
    return seq, row_hash


def downgrade() -> None:
    op.drop_table("ledger_head")
    with op.batch_alter_table("lookup") as table:
        table.drop_constraint("uq_lookup_seq", type_="unique")
        table.drop_column("row_hash")
        table.drop_column("prev_hash")
        table.drop_column("seq")
