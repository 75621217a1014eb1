"""accounts cases and reports"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("new_password", sa.Boolean(), nullable=False),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("enrolled", sa.Boolean(), nullable=False),
        sa.Column("last_totp", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
    )
    op.create_index("ix_account_province", "account", ["province", "username"], unique=False)
    op.create_table(
        "answer_template",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("sub_subject", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_template")),
    )
    op.create_index("ix_answer_template_province", "answer_template", ["province", "sub_subject"], unique=False)
    op.create_table(
        "case",
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("request_seq", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalates_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_days", sa.Integer(), nullable=False),
        sa.Column("sub_subject", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("days", sa.Float(), nullable=True),
        sa.Column("report_seq", sa.Integer(), nullable=False),
        sa.Column("last_report", sa.String(length=36), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("province", "tracking_code", name=op.f("pk_case")),
    )
    op.create_index("ix_case_days", "case", ["province", "days"], unique=False)
    op.create_index("ix_case_decided", "case", ["province", "stage", "decided_at"], unique=False)
    op.create_index("ix_case_due", "case", ["province", "stage", "due_at"], unique=False)
    op.create_index("ix_case_holder", "case", ["holder", "due_at"], unique=False)
    op.create_index("ix_case_rating", "case", ["province", "rating"], unique=False)
    op.create_index("ix_case_subject", "case", ["province", "sub_subject", "stage", "due_at"], unique=False)
    op.create_index("ix_case_submitted", "case", ["province", "submitted_at"], unique=False)
    op.create_index("ix_case_urgent", "case", ["province", "stage", "rank", "escalates_at"], unique=False)
    op.create_table(
        "case_document",
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("province", "tracking_code", name=op.f("pk_case_document")),
    )
    op.create_table(
        "case_word",
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("word", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("province", "word", "tracking_code", name=op.f("pk_case_word")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=36), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=True),
        sa.Column("about", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deed")),
    )
    op.create_index("ix_deed_at", "deed", ["province", "at"], unique=False)
    op.create_index("ix_deed_case", "deed", ["province", "tracking_code", "at"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=36), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_case", "entry", ["province", "tracking_code", "at"], unique=False)
    op.create_table(
        "heard",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_heard")),
    )
    op.create_index(op.f("ix_heard_at"), "heard", ["at"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("tracking_code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    op.create_index("ix_report_case", "report", ["province", "tracking_code", "seq"], unique=False)
    op.create_index("ix_report_waiting", "report", ["next_try_at"], unique=False)
    op.create_table(
        "sub_subject",
        sa.Column("province", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("subject_title", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("province", "key", name=op.f("pk_sub_subject")),
    )
    op.create_table(
        "wrong_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("of", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrong_try")),
    )
    op.create_index("ix_wrong_try_of", "wrong_try", ["of", "at"], unique=False)
    op.create_table(
        "outgoing_file",
        sa.Column("report", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["report.id"], name=op.f("fk_outgoing_file_report_report")),
        sa.PrimaryKeyConstraint("report", "position", name=op.f("pk_outgoing_file")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("account", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_recovery_code_account_account")),
        sa.PrimaryKeyConstraint("account", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "visit",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("form_word", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_visit_account_account")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_account"), "visit", ["account"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_visit_account"), table_name="visit")
    op.drop_table("visit")
    op.drop_table("recovery_code")
    op.drop_table("outgoing_file")
    op.drop_index("ix_wrong_try_of", table_name="wrong_try")
    op.drop_table("wrong_try")
    op.drop_table("sub_subject")
    op.drop_index("ix_report_waiting", table_name="report")
    op.drop_index("ix_report_case", table_name="report")
    op.drop_table("report")
    op.drop_index(op.f("ix_heard_at"), table_name="heard")
    op.drop_table("heard")
    op.drop_index("ix_entry_case", table_name="entry")
    op.drop_table("entry")
    op.drop_index("ix_deed_case", table_name="deed")
    op.drop_index("ix_deed_at", table_name="deed")
    op.drop_table("deed")
    op.drop_table("case_word")
    op.drop_table("case_document")
    op.drop_index("ix_case_urgent", table_name="case")
    op.drop_index("ix_case_submitted", table_name="case")
    op.drop_index("ix_case_subject", table_name="case")
    op.drop_index("ix_case_rating", table_name="case")
    op.drop_index("ix_case_holder", table_name="case")
    op.drop_index("ix_case_due", table_name="case")
    op.drop_index("ix_case_decided", table_name="case")
    op.drop_index("ix_case_days", table_name="case")
    op.drop_table("case")
    op.drop_index("ix_answer_template_province", table_name="answer_template")
    op.drop_table("answer_template")
    op.drop_index("ix_account_province", table_name="account")
    op.drop_table("account")
