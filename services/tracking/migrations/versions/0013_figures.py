"""figures of offices: columns of cases, and the roll-up

Afterwards a background task reads the subject of each case from before this migration, and counts the cases whose
figures no longer change. The figures of erased cases are copied; how many working days their answers took is unknown.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_case_uncounted": ("submitted_at", "counted IS false"),
    "ix_case_unread": ("submitted_at", "counted IS false AND subject IS NULL"),
    "ix_case_settled": ("since", "counted IS false AND state IN ('closed', 'withdrawn')"),
}
ERASED = """
SELECT month, province, subject, sub_subject, sum(requests), sum(answered) FROM figure
WHERE state NOT IN ('identity_pending', 'identity_rejected') GROUP BY month, province, subject, sub_subject
ORDER BY month, province, subject, sub_subject
"""


def upgrade() -> None:
    op.add_column("case", sa.Column("subject", sa.String(length=40), nullable=True))
    op.add_column("case", sa.Column("sub_subject", sa.String(length=40), nullable=True))
    op.add_column("case", sa.Column("first_answer_days", sa.Integer(), nullable=True))
    for name in ("objections", "ratings", "rating_sum"):
        op.add_column("case", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("case", sa.Column("counted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE \"case\" SET counted = true WHERE state = 'erased'")
    for name, (column, where) in INDEXES.items():
        op.create_index(name, "case", [column], postgresql_where=sa.text(where), sqlite_where=sa.text(where))
    op.create_table(
        "roll_up",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("office", sa.String(length=40), nullable=False),
        sa.Column("cells", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("month", "office", name=op.f("pk_roll_up")),
    )
    _copy_erased()


def _copy_erased() -> None:
    cells: dict[tuple[str, str], list[str]] = {}
    for month, office, *cell, requests, answered in op.get_bind().execute(sa.text(ERASED)):
        cells.setdefault((month, office), []).append("\t".join((*cell, f"{requests}\t0\t0\t{answered}\t0\t0\t0\t")))
    insert = sa.text("INSERT INTO roll_up (month, office, cells) VALUES (:month, :office, :cells)")
    for (month, office), lines in cells.items():
        op.get_bind().execute(insert, {"month": month, "office": office, "cells": "\n".join(lines)})


def downgrade() -> None:
    op.drop_table("roll_up")
    for name in INDEXES:
        op.drop_index(name, "case")
    for name in ("counted", "rating_sum", "ratings", "objections", "first_answer_days", "sub_subject", "subject"):
        op.drop_column("case", name)
