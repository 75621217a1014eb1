"""the time of a password, and where a session is used"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("password_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("visit", sa.Column("browser", sa.String(length=40), nullable=True))
    op.add_column("visit", sa.Column("network", sa.String(length=50), nullable=True))
    # An issued password of before is valid for a day from now: its time is unknown.
    op.execute("UPDATE account SET password_at = CURRENT_TIMESTAMP WHERE new_password")
    # Attempts are counted elsewhere. The table stays for replicas of the previous version.
    op.execute("DELETE FROM wrong_try")


def downgrade() -> None:
    op.drop_column("visit", "network")
    op.drop_column("visit", "browser")
    op.drop_column("account", "password_at")
