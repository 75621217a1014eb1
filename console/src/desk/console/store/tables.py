"""The console's tables. Personal data is in encrypted documents; what is searched, sorted and counted has columns."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
)

from desk.database import UtcDateTime, add_data_keys, audit_head, chain_columns, new_metadata

metadata = new_metadata()
add_data_keys(metadata)

account = Table(
    "account",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("province", String(40), nullable=False),
    Column("username", String(40), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("new_password", Boolean, nullable=False),
    Column("totp", LargeBinary),
    Column("enrolled", Boolean, nullable=False),
    Column("last_totp", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("password_at", UtcDateTime),
    Column("counter", Boolean, nullable=False, server_default=false()),
)
Index("ix_account_province", account.c.province, account.c.username)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account", ForeignKey("account.id"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)

user_session = Table(
    "visit",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    Column("account", ForeignKey("account.id"), nullable=False, index=True),
    Column("step", String(16), nullable=False),
    Column("form_word", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("browser", String(40)),
    Column("network", String(50)),
)

# No longer used. The previous version writes it during a rolling update; the next version drops it.
failed_attempt = Table(
    "wrong_try",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("of", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
Index("ix_wrong_try_of", failed_attempt.c.of, failed_attempt.c.at)

case = Table(
    "case",
    metadata,
    Column("province", String(40), primary_key=True),
    Column("tracking_code", String(12), primary_key=True),
    Column("stage", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("request_seq", Integer, nullable=False),
    Column("submitted_at", UtcDateTime),
    Column("due_at", UtcDateTime),
    Column("escalates_at", UtcDateTime),
    Column("answer_days", Integer, nullable=False),
    Column("sub_subject", String(40), nullable=False),
    Column("asked_at", UtcDateTime),
    Column("asked_until", UtcDateTime),
    Column("contact_seq", Integer, nullable=False, server_default="0"),
    Column("decided_at", UtcDateTime),
    Column("days", Float),
    Column("report_seq", Integer, nullable=False),
    Column("last_report", String(36)),
    Column("rating", Integer),
    Column("refused", Boolean, nullable=False),
    Column("holder", String(36)),
    Column("held_until", UtcDateTime),
    Column("objection", Boolean, nullable=False, server_default=false()),
    Column("answerer", String(36)),
    Column("index_version", Integer, nullable=False, server_default="0"),
    Column("index_key", String(8)),  # the id of the key of its words in the search index
    Column("assignee", String(36)),
)
Index("ix_case_due", case.c.province, case.c.stage, case.c.due_at)
Index("ix_case_urgent", case.c.province, case.c.stage, case.c.rank, case.c.escalates_at)
Index("ix_case_submitted", case.c.province, case.c.submitted_at)
Index("ix_case_decided", case.c.province, case.c.stage, case.c.decided_at)
Index("ix_case_subject", case.c.province, case.c.sub_subject, case.c.stage, case.c.due_at)
Index("ix_case_holder", case.c.holder, case.c.due_at)
Index("ix_case_assignee", case.c.assignee, case.c.due_at)
Index("ix_case_days", case.c.province, case.c.days)
Index("ix_case_rating", case.c.province, case.c.rating)

# A table of its own, so that the rows that are sorted and counted stay short.
case_document = Table(
    "case_document",
    metadata,
    Column("province", String(40), primary_key=True),
    Column("tracking_code", String(12), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

case_word = Table(
    "case_word",
    metadata,
    Column("province", String(40), primary_key=True),
    Column("word", BigInteger, primary_key=True, autoincrement=False),
    Column("tracking_code", String(12), primary_key=True),
    sqlite_with_rowid=False,
)

sub_subject = Table(
    "sub_subject",
    metadata,
    Column("province", String(40), primary_key=True),
    Column("key", String(40), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("subject_title", String(200), nullable=False),
)

entry = Table(
    "entry",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("province", String(40), nullable=False),
    Column("tracking_code", String(12), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("account", String(36)),
    Column("words", LargeBinary),
)
Index("ix_entry_case", entry.c.province, entry.c.tracking_code, entry.c.at)

report = Table(
    "report",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("province", String(40), nullable=False),
    Column("tracking_code", String(12), nullable=False),
    Column("name", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("before", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("refused", String(40)),
)
Index("ix_report_waiting", report.c.next_try_at)
Index("ix_report_case", report.c.province, report.c.tracking_code, report.c.seq)

outgoing_file = Table(
    "outgoing_file",
    metadata,
    Column("report", ForeignKey("report.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("content", LargeBinary),
    Column("document", LargeBinary, nullable=False),
)

escalation = Table(
    "escalation",
    metadata,
    Column("tracking_code", String(12), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    Column("closed_at", UtcDateTime),
)
"""For headquarters: cases of other offices that are late. ``document`` is the event, which has no personal data."""
Index("ix_escalation_open", escalation.c.closed_at, escalation.c.at)

silence = Table(
    "silence",
    metadata,
    Column("office", String(40), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    Column("closed_at", UtcDateTime),
)
"""For headquarters: offices that acknowledge nothing."""
Index("ix_silence_open", silence.c.closed_at, silence.c.at)

draft = Table(
    "draft",
    metadata,
    Column("account", ForeignKey("account.id"), primary_key=True),
    Column("subject", String(12), primary_key=True),
    Column("saved_at", UtcDateTime, nullable=False, index=True),
    Column("document", LargeBinary, nullable=False),
)

processed_event = Table(
    "heard",
    metadata,
    Column("event_id", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
)

answer_template = Table(
    "answer_template",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("province", String(40), nullable=False),
    Column("sub_subject", String(40), nullable=False),
    Column("title", String(120), nullable=False),
    Column("text", String(4000), nullable=False),
)
Index("ix_answer_template_province", answer_template.c.province, answer_template.c.sub_subject)

audit_entry = Table(
    "deed",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("province", String(40), nullable=False),
    Column("account", String(36)),
    Column("kind", String(32), nullable=False),
    Column("tracking_code", String(12)),
    Column("about", String(80)),
    Column("network", String(64)),
    *chain_columns(),
)
audit_head.to_metadata(metadata)
"""``network`` is a keyed hash of the network of the caller's address. The head is the end of the chain of entries."""
Index(
    "ix_deed_unchained",
    audit_entry.c.at,
    postgresql_where=audit_entry.c.seq.is_(None),
    sqlite_where=audit_entry.c.seq.is_(None),
)
Index("ix_deed_at", audit_entry.c.province, audit_entry.c.at)
Index("ix_deed_case", audit_entry.c.province, audit_entry.c.tracking_code, audit_entry.c.at)
