"""The rows of finished requests, as SQL by service. The lengths of encrypted columns were measured in a desk."""

from datetime import timedelta

HANDLED = timedelta(hours=6)
"""From submission to answer."""
RANDOM_VALUES, RANDOM_BYTES = 512, 6000
SUBMITTED_BODY, STATUS_BODY = 2500, 1700
"""The bodies of events, with the keys wrapped for each receiver."""

REQUESTS = """
INSERT INTO filled
SELECT i,
       (100000000000 + i * 77777777977 % 899999999999)::text,
       md5('request ' || i)::uuid::text,
       -- Groups of 15 requests belong to five applicants, who have one to five requests.
       j / 15 * 5 + floor((sqrt(8 * (j % 15) + 1) - 1) / 2)::bigint,
       $2::timestamptz + i * $3::interval,
       $2::timestamptz + i * $3::interval + interval '6 hours',
       $2::timestamptz + i * $3::interval + interval '14 days' < $4::timestamptz
FROM (SELECT i, i * 15485863 % $1::bigint AS j FROM generate_series(0::bigint, $1::bigint - 1) AS i) AS numbered
"""
"""Parameters: the number of requests, when the first was submitted, the time between two, and now."""

TABLES = """
CREATE TEMPORARY TABLE noise (n integer, bytes bytea);
ALTER TABLE noise ALTER bytes SET STORAGE EXTERNAL;
CREATE TEMPORARY TABLE filled
    (i bigint, code text, id text, person bigint, submitted timestamptz, answered timestamptz, is_closed boolean);
"""
"""What the statements below select from: bytes that do not compress, and the requests."""


def _index(text: str) -> str:
    """Return an expression for a keyed hash of ``text``."""
    return f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"


def _random(length: int) -> str:
    """Return an expression for encrypted bytes."""
    return f"(SELECT substr(bytes, 1 + (i % 97)::integer, {length}) FROM noise WHERE n = i % {RANDOM_VALUES})"


def _event(kind: str) -> str:
    """Return an expression for the id of a request's event of some kind."""
    return f"md5('{kind} ' || i)::uuid::text"


def _word(at: str) -> str:
    """Return an expression for a time without quotation marks, to tell events apart."""
    return at.replace("'", "")


def _outbox(name: str, at: str, length: int) -> str:
    """Return a statement for the sent events of the last day: pruning has deleted the others."""
    return f"""
INSERT INTO outbox (id, exchange, routing_key, type, body, created_at, next_try_at, tries, sent_at, subject)
SELECT {_event(name + _word(at))}, 'desk.events', '{name}.isfahan', 'ir.haj.desk.{name}.v1', {_random(length)},
       {at}, {at}, 0, {at} + interval '1 second', code
FROM filled WHERE {at} > now() - interval '1 day'"""


def _inbox(at: str, where: str = "true") -> str:
    """Return a statement for the events of the last seven days."""
    return f"""
INSERT INTO inbox (event_id, received_at)
SELECT {_event("inbox " + _word(at))}, {at} FROM filled WHERE {where} AND {at} > now() - interval '7 days'"""


def _data_keys(key_id: str, where: str = "true") -> str:
    return f"INSERT INTO data_key SELECT {key_id}, {_random(63)}, submitted FROM filled WHERE {where}"


def _step(state: str, at: str, seq: int, *, words: str = "NULL", where: str = "true") -> str:
    """Return a statement for the entry of a state in the history of each case."""
    return f"""
INSERT INTO step (event_id, tracking_code, at, recorded_at, turn, seq, state, words)
SELECT {_event(state)}, code, {at}, {at}, 0, {seq}, '{state}', {words} FROM filled WHERE {where}"""


def _messages(kind: str, at: str, sms: int, email: int) -> str:
    """Return a statement for the SMS of each request and the email of every second one."""
    return f"""
INSERT INTO message (id, event_id, tracking_code, template, channel, state, personal, created_at, next_try_at, tries,
    provider_reference, handed_over_at, delivered_at, provider, recipient_index, due_at, wording, seq, index_key)
SELECT md5('{kind} ' || channel || i)::uuid, {_event(kind)}, code, '{kind}', channel,
       CASE channel WHEN 'sms' THEN 'delivered' ELSE 'handed_over' END,
       CASE channel WHEN 'sms' THEN {_random(sms)} ELSE {_random(email)} END,
       {at}, {at} + interval '31 seconds', 1, md5('reference {kind}' || channel || i)::uuid::text,
       {at} + interval '1 second', CASE channel WHEN 'sms' THEN {at} + interval '9 seconds' END,
       CASE channel WHEN 'sms' THEN 'kavenegar' END, {_index("channel || person")}, {at}, 'fa/{kind}.' || channel,
       1, 'filled'
FROM filled, (VALUES ('sms'), ('email')) AS channels (channel) WHERE channel = 'sms' OR i % 2 = 0"""


INTAKE = (
    f"""
INSERT INTO request (id, tracking_code, owner_index, idempotency_index, fingerprint, province, subject, sub_subject,
    submitted_at, due_at, personal, content_index, mobile_index, index_key)
SELECT id, code, {_index("'owner ' || person")}, {_index("'key ' || i")}, {_index("'print ' || i")}, 'isfahan', 'umrah',
       'umrah_visa', submitted, submitted + interval '15 days', {_random(1100)}, {_index("'content ' || i")},
       {_index("'mobile ' || person")}, 'filled'
FROM filled""",
    _data_keys("id"),
    # Every fifth request has a file, and the identity of every twentieth was confirmed later.
    f"""
INSERT INTO attachment (id, owner_index, request_id, name, size, media_type, sha256, uploaded_at, upload_session,
    object_key)
SELECT md5('file ' || i)::uuid::text, {_index("'owner ' || person")}, id, {_random(60)}, 400000, 'image/jpeg',
       {_index("'file ' || i")}, submitted, md5('session ' || i)::uuid::text, md5('object ' || i)::uuid::text
FROM filled WHERE i % 5 = 0""",
    _data_keys("md5('file ' || i)::uuid::text", where="i % 5 = 0"),
    f"""
INSERT INTO identity_check (request_id, state, submitted_at, tries, next_check_at, outcome, checked_at, person)
SELECT id, 'confirmed', submitted, 1, submitted, 'matched', submitted + interval '1 hour', {_random(200)}
FROM filled WHERE i % 20 = 0""",
    # Every tenth request has a file of its office, and was referred.
    f"""
INSERT INTO answer_file (id, request_id, province, name, size, media_type, sha256, uploaded_at, object_key)
SELECT md5('answer ' || i)::uuid::text, id, 'isfahan', {_random(60)}, 200000, 'application/pdf',
       {_index("'answer ' || i")}, answered, md5('answer object ' || i)::uuid::text
FROM filled WHERE i % 10 = 0""",
    _data_keys("md5('answer ' || i)::uuid::text", where="i % 10 = 0"),
    "INSERT INTO handover (request_id, province, seq) SELECT id, 'isfahan', 2 FROM filled WHERE i % 10 = 0",
    _outbox("request-submitted", "submitted", SUBMITTED_BODY),
    _inbox("submitted + interval '10 minutes'", where="i % 10 = 0"),
)
TRACKING = (
    f"""
INSERT INTO "case" (tracking_code, owner_index, province, state, seq, report_seq, submitted_at, due_at, since,
    answer_days, alarm_at, request, index_key, contact_index, subject, sub_subject, first_answer_days,
    counted)
SELECT code, {_index("'owner ' || person")}, 'isfahan', CASE WHEN is_closed THEN 'closed' ELSE 'answered' END,
       CASE WHEN is_closed THEN 4 ELSE 3 END, 2, submitted, submitted + interval '15 days',
       CASE WHEN is_closed THEN submitted + interval '14 days' ELSE answered END, 10,
       CASE WHEN is_closed THEN NULL ELSE answered + interval '15 days' END, {_random(1250)}, 'filled',
       {_index("'contact ' || person")}, 'umrah', 'umrah_visa', 0, is_closed
FROM filled""",
    _data_keys("code"),
    "INSERT INTO handover (tracking_code, province, report_seq) SELECT code, 'qom', 1 FROM filled WHERE i % 10 = 0",
    # Every fiftieth has a report that was refused.
    f"""
INSERT INTO refusal (event_id, tracking_code, province, report, reason, at)
SELECT {_event("refusal")}, code, 'isfahan', 'case-answered', 'overtaken', answered FROM filled WHERE i % 50 = 0""",
    _step("registered", "submitted", 0),
    _step("received", "submitted + interval '10 minutes'", 1),
    _step("answered", "answered", 2, words=_random(600)),
    _step("closed", "submitted + interval '14 days'", 2, where="is_closed"),
    _outbox("request-status-changed", "submitted + interval '10 minutes'", STATUS_BODY),
    _outbox("request-status-changed", "answered", STATUS_BODY),
    _inbox("submitted"),
    _inbox("submitted + interval '10 minutes'"),
    _inbox("answered"),
)
NOTIFIER = (
    _messages("submitted", "submitted", sms=386, email=4880),
    _messages("answered", "answered", sms=700, email=3900),
    _data_keys("code"),
    """
INSERT INTO attempt (id, message_id, provider, at, bad)
SELECT md5('attempt ' || i)::uuid, md5('answered sms' || i)::uuid, 'kavenegar', answered, false
FROM filled WHERE answered > now() - interval '1 day'""",
    _inbox("submitted"),
    _inbox("submitted + interval '10 minutes'"),
    _inbox("answered"),
)
STATEMENTS = {"intake": INTAKE, "tracking": TRACKING, "notifier": NOTIFIER}
