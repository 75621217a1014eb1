"""a keyed hash of a request's content, to notice that the same request is sent again

Replicas of the version before leave it empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("request", sa.Column("content_index", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_request_content_index"), "request", ["content_index"])


def downgrade() -> None:
    op.drop_index(op.f("ix_request_content_index"), table_name="request")
    op.drop_column("request", "content_index")
