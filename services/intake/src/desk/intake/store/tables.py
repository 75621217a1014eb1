"""Intake's tables. Personal data is encrypted with a data key per request and per file; look-ups use a keyed hash."""

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, false, literal_column

from desk.chassis.event_tables import add_event_tables
from desk.database import UtcDateTime, add_audit_tables, add_data_keys, new_metadata
from desk.intake.domain import PROBE, IdentityState
from desk.versions.tables import add_version_tables


def _scan() -> tuple[Column[Any], Column[Any]]:
    return Column("scan_due_at", UtcDateTime), Column("malware", String(200))


metadata = new_metadata()
add_event_tables(metadata)
add_data_keys(metadata)
add_audit_tables(metadata)

request = Table(
    "request",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tracking_code", String(12), nullable=False, unique=True),
    Column("owner_index", String(64), nullable=False),
    Column("idempotency_index", String(64), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("province", String(40), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("sub_subject", String(40), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False, index=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("personal", LargeBinary, nullable=False),
    Column("content_index", String(64), index=True),
    Column("mobile_index", String(64), index=True),
    Column("mobile_proven", Boolean, nullable=False, server_default=false()),
    Column("index_key", String(8)),
    Column("erased_at", UtcDateTime),
    Column("office", String(40), nullable=False, server_default=""),
    Column("catalog_version", Integer),
)
"""``content_index`` is a keyed hash of applicant, province, sub-subject and text; None for requests before migration
0006. ``mobile_index`` is one of the mobile, None before migration 0007. ``mobile_proven``: the applicant entered the
code that was sent to it. ``index_key`` is the id of the key of these hashes and of ``owner_index``, None before
migration 0011; the idempotency index and the fingerprint keep the key of the submission. Since ``erased_at`` the row
has no personal data and no keyed hash of a person. ``office`` is empty if it is that of the province.
``catalog_version`` is the version of the catalogue it was made with, None before migration 0016."""
is_probe = request.c.office == literal_column(f"'{PROBE}'")
"""Whether a request is synthetic."""
Index("ix_request_probe", request.c.submitted_at, postgresql_where=is_probe, sqlite_where=is_probe)
attachment = Table(
    "attachment",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner_index", String(64), nullable=False),
    Column("visit", String(36)),
    Column("request_id", String(36), ForeignKey("request.id"), index=True),
    Column("name", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(96), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
    Column("reply", String(64)),
    Column("promised_at", UtcDateTime),
    Column("upload_session", String(36)),
    Column("reply_request_id", String(36), ForeignKey("request.id")),
    Column("object_key", String(36)),
    *_scan(),
)
"""A file of an applicant, uploaded either with the identity token ``upload_session`` or for a reply to the experts of
``reply_request_id``. ``reply`` is the reply it belongs to, and ``promised_at`` is set until that reply is published.
``visit`` is only for replicas of an earlier version (see migration 0005); the next release drops it.

``object_key`` is where the encrypted file is in the object store. It is None for a file from before migration 0008,
which is there in clear under the file's id. A file has a data key under its id, which encrypts its name too.

``scan_due_at`` is when the malware scanner is asked next, None for a file whose scan has ended; ``malware`` is what it
found then. An attempt that is running has moved ``scan_due_at`` to the end of its lease."""
Index(
    "ix_attachment_promised",
    attachment.c.promised_at,
    postgresql_where=attachment.c.promised_at.is_not(None),
    sqlite_where=attachment.c.promised_at.is_not(None),
)
Index(
    "ix_attachment_unclaimed",
    attachment.c.owner_index,
    attachment.c.uploaded_at,
    postgresql_where=attachment.c.request_id.is_(None),
    sqlite_where=attachment.c.request_id.is_(None),
)
Index(
    "ix_attachment_reply_request_id",
    attachment.c.reply_request_id,
    postgresql_where=attachment.c.reply_request_id.is_not(None),
    sqlite_where=attachment.c.reply_request_id.is_not(None),
)
identity_check = Table(
    "identity_check",
    metadata,
    Column("request_id", String(36), ForeignKey("request.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_check_at", UtcDateTime, nullable=False),  # while an attempt is running: when its lease expires
    Column("outcome", String(16)),
    Column("checked_at", UtcDateTime),
    Column("person", LargeBinary),
    Column("mobile_known", Boolean, nullable=False, server_default=false()),
)
"""One row for each request that was submitted before the civil registry had answered. ``mobile_known``: its
mobile is proven, and is that of an earlier request of the same number that the registry has confirmed."""
Index(
    "ix_identity_check_pending",
    identity_check.c.next_check_at,
    postgresql_where=identity_check.c.state == IdentityState.PENDING.value,
    sqlite_where=identity_check.c.state == IdentityState.PENDING.value,
)

handover = Table(
    "handover",
    metadata,
    Column("request_id", String(36), ForeignKey("request.id"), primary_key=True),
    Column("province", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
)
"""The province of a request that was referred: the latest referral received, by the number of its event."""
answer_file = Table(
    "answer_file",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), ForeignKey("request.id"), nullable=False, index=True),
    Column("province", String(40), nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(96), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
    Column("object_key", String(36)),
    *_scan(),
)
"""A file a province uploaded for its answer; the last three columns are as for attachments."""
erasure = Table(
    "erasure",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    Column("tracking_code", String(12), nullable=False),
    Column("office", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("request_count", Integer, nullable=False),
    Column("file_count", Integer, nullable=False),
    Column("key_count", Integer, nullable=False),
    Column("erased_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
)
"""An erasure that tracking has asked for. ``office`` and ``seq`` are the key and the number of that event. It is
acknowledged once the object store has none of its objects: ``done_at``."""
catalog_tables = add_version_tables(metadata, "catalog", previews=True)
erased_object = Table(
    "erased_object",
    metadata,
    Column("object_key", String(36), primary_key=True),
    Column("certificate_id", String(36), ForeignKey("erasure.certificate_id"), nullable=False, index=True),
)
"""An object of an erased file, which the object store may still have; nothing can decrypt it."""
Index(
    "ix_erasure_unfinished",
    erasure.c.erased_at,
    postgresql_where=erasure.c.done_at.is_(None),
    sqlite_where=erasure.c.done_at.is_(None),
)
for _table in (attachment, answer_file):
    Index(
        f"ix_{_table.name}_scan_due",
        _table.c.scan_due_at,
        postgresql_where=_table.c.scan_due_at.is_not(None),
        sqlite_where=_table.c.scan_due_at.is_not(None),
    )
