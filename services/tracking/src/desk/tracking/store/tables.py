"""Tracking's tables. Text that people wrote is encrypted with a data key per case; a person is found by blind index."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, false

from desk.chassis.event_tables import add_event_tables
from desk.database import UtcDateTime, add_audit_tables, add_data_keys, new_metadata
from desk.tracking.domain import SETTLED

metadata = new_metadata()
add_event_tables(metadata)
add_data_keys(metadata)
add_audit_tables(metadata)

case_table = Table(
    "case",
    metadata,
    Column("tracking_code", String(12), primary_key=True),
    Column("owner_index", String(64), nullable=False),
    Column("province", String(40), nullable=False),
    Column("state", String(24), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("report_seq", Integer, nullable=False),
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("since", UtcDateTime),
    Column("answer_days", Integer),
    Column("overdue", Integer, nullable=False, server_default="0"),
    Column("alarm_at", UtcDateTime),
    Column("office_due_at", UtcDateTime),
    Column("question_until", UtcDateTime),
    Column("reminded", Boolean, nullable=False, server_default=false()),
    Column("request", LargeBinary, nullable=False),
    Column("index_key", String(8)),
    Column("contact_index", String(64)),
    Column("commented", Boolean, nullable=False, server_default=false()),
    Column("unreached", Boolean, nullable=False, server_default=false()),
    Column("subject", String(40)),
    Column("sub_subject", String(40)),
    Column("first_answer_days", Integer),
    Column("objections", Integer, nullable=False, server_default="0"),
    Column("ratings", Integer, nullable=False, server_default="0"),
    Column("rating_sum", Integer, nullable=False, server_default="0"),
    Column("counted", Boolean, nullable=False, server_default=false()),
)
"""``index_key`` is the id of the key of ``owner_index`` and ``contact_index``, None before migration 0009.
``contact_index`` is the keyed hash of the applicant's number together with the contact's mobile; None in a case from
before migration 0017 until a background task has read it. The columns from ``subject`` on are for figures; ``subject``
is None until a case from before migration 0013 is read, and in erased cases."""
Index(
    "ix_case_alarm",
    case_table.c.alarm_at,
    postgresql_where=case_table.c.alarm_at.is_not(None),
    sqlite_where=case_table.c.alarm_at.is_not(None),
)
_uncounted = case_table.c.counted.is_(false())
_unread = _uncounted & case_table.c.subject.is_(None)
_settled = _uncounted & case_table.c.state.in_([state.value for state in SETTLED])
Index("ix_case_uncounted", case_table.c.submitted_at, postgresql_where=_uncounted, sqlite_where=_uncounted)
Index("ix_case_unread", case_table.c.submitted_at, postgresql_where=_unread, sqlite_where=_unread)
Index("ix_case_settled", case_table.c.since, postgresql_where=_settled, sqlite_where=_settled)
Index("ix_case_contact", case_table.c.contact_index, case_table.c.submitted_at)
_unindexed = case_table.c.contact_index.is_(None)
Index("ix_case_unindexed", case_table.c.submitted_at, postgresql_where=_unindexed, sqlite_where=_unindexed)
step_table = Table(
    "step",
    metadata,
    Column("event_id", String(64), primary_key=True),
    Column("tracking_code", String(12), ForeignKey("case.tracking_code"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("seq", Integer, nullable=False, server_default="0"),
    Column("state", String(24), nullable=False),
    Column("action", String(16)),  # an action of the applicant, or one of RECORDS
    Column("words", LargeBinary),
)
handover_table = Table(
    "handover",
    metadata,
    Column("tracking_code", String(12), ForeignKey("case.tracking_code"), primary_key=True),
    Column("province", String(40), primary_key=True),
    Column("report_seq", Integer, nullable=False),
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("since", UtcDateTime),
    Column("until", UtcDateTime),
)
"""The latest stay of each former office; the times are None before migration 0014."""
Index("ix_case_waiting", case_table.c.state, case_table.c.since)
Index("ix_case_submitted_at", case_table.c.submitted_at)
Index("ix_step_recorded_at", step_table.c.recorded_at)
refusal_table = Table(
    "refusal",
    metadata,
    Column("event_id", String(64), primary_key=True),
    Column("tracking_code", String(12), nullable=False, index=True),
    Column("province", String(40), nullable=False),
    Column("report", String(96), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)
silence_table = Table(
    "silence",
    metadata,
    Column("province", String(40), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("times", Integer, nullable=False),
    Column("ended_at", UtcDateTime),
)
erasure_table = Table(
    "erasure",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    Column("tracking_code", String(12), ForeignKey("case.tracking_code"), nullable=False, unique=True),
    Column("reason", String(16), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime, nullable=False),
    Column("removed", String(400), nullable=False),
)
"""The certificates of erasures: no personal data. ``removed`` is JSON: what tracking removed, and how many of it."""
erasing_party_table = Table(
    "erasing_party",
    metadata,
    Column("certificate_id", String(36), ForeignKey("erasure.certificate_id"), primary_key=True),
    Column("party", String(40), primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("informed_only", Boolean, nullable=False),
    Column("acknowledged_at", UtcDateTime),
    Column("removed", String(400), nullable=False, server_default="{}"),
)
"""The services and offices that were asked to erase a case."""
_pending = erasing_party_table.c.acknowledged_at.is_(None) & erasing_party_table.c.informed_only.is_(false())
Index("ix_erasing_party_pending", erasing_party_table.c.asked_at, postgresql_where=_pending, sqlite_where=_pending)
figure_table = Table(
    "figure",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("province", String(40), primary_key=True),
    Column("subject", String(40), primary_key=True),
    Column("sub_subject", String(40), primary_key=True),
    Column("state", String(24), primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("answer_days", Integer, nullable=False),
)
"""Counts of erased cases; see ``desk.tracking.domain.Figure``."""
roll_up_table = Table(
    "roll_up",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("office", String(40), primary_key=True),
    Column("cells", Text, nullable=False, server_default=""),
)
"""Counts of the cases that are ``counted``, as ``desk.tracking.domain.read_cells`` reads them. One text has all of an
office in a month, because they are read together, and suppressed together."""
probe_table = Table(
    "probe",
    metadata,
    Column("tracking_code", String(12), primary_key=True),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("found_at", UtcDateTime),
)
"""The synthetic requests of the last hour. They are no cases, so that nothing that reads cases can take them for one.
``found_at`` is when ``desk-probe`` first found it here."""
