"""cases, history and refusals"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case",
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("owner_index", sa.String(length=64), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("report_seq", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tracking_code", name=op.f("pk_case")),
    )
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("exchange", sa.String(length=64), nullable=False),
        sa.Column("routing_key", sa.String(length=128), nullable=False),
        sa.Column("type", sa.String(length=96), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL"),
        sqlite_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "refusal",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("report", sa.String(length=96), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_refusal")),
    )
    op.create_index(op.f("ix_refusal_tracking_code"), "refusal", ["tracking_code"], unique=False)
    op.create_table(
        "step",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["tracking_code"], ["case.tracking_code"], name=op.f("fk_step_tracking_code_case")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_step")),
    )
    op.create_index(op.f("ix_step_tracking_code"), "step", ["tracking_code"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_step_tracking_code"), table_name="step")
    op.drop_table("step")
    op.drop_index(op.f("ix_refusal_tracking_code"), table_name="refusal")
    op.drop_table("refusal")
    op.drop_index(
        "ix_outbox_unsent",
        table_name="outbox",
        postgresql_where=sa.text("sent_at IS NULL"),
        sqlite_where=sa.text("sent_at IS NULL"),
    )
    op.drop_table("outbox")
    op.drop_table("inbox")
    op.drop_table("case")
