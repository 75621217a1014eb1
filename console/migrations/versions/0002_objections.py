"""pending objections, and the account that gave the answer"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OBJECTION = """
UPDATE "case" SET objection = true, rank = 0
WHERE stage IN ('open', 'asked') AND EXISTS (
  SELECT 1 FROM entry WHERE entry.province = "case".province AND entry.tracking_code = "case".tracking_code
  AND entry.kind = 'request-objected'
)
"""
ANSWERER = """
UPDATE "case" SET answerer = (
  SELECT decision.account FROM entry AS decision
  JOIN entry AS objection ON objection.province = decision.province
    AND objection.tracking_code = decision.tracking_code AND objection.kind = 'request-objected'
  WHERE decision.province = "case".province AND decision.tracking_code = "case".tracking_code
    AND decision.kind IN ('case-answered', 'case-rejected') AND decision.at <= objection.at
  ORDER BY decision.at DESC LIMIT 1
) WHERE objection
"""


def upgrade() -> None:
    op.add_column("case", sa.Column("objection", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("case", sa.Column("answerer", sa.String(length=36), nullable=True))
    op.execute(OBJECTION)
    op.execute(ANSWERER)


def downgrade() -> None:
    op.drop_column("case", "answerer")
    op.drop_column("case", "objection")
