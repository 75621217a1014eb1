"""encrypted events: an event in the outbox is encrypted for its receivers, no longer by the vault

An unsent event of an earlier version cannot be published any more: its body is encrypted by the vault alone.
"""

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    unsent = op.get_bind().execute(text("SELECT count(*) FROM outbox WHERE sent_at IS NULL")).scalar_one()
    if unsent:
        raise RuntimeError(
            f"the outbox has {unsent} unsent events of the earlier version: let it run until desk_outbox_unsent is 0, "
            "stop it, and migrate again"
        )
    op.execute(text("DELETE FROM outbox"))  # sent events of the earlier version, which cannot be published again


def downgrade() -> None:
    op.execute(text("DELETE FROM outbox WHERE sent_at IS NOT NULL"))
