"""Events that tracking consumes, with synthetic data, as the broker delivers them."""

import json
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from stdnum import damm

from desk.chassis.events import Message
from desk.iran.offices import HEADQUARTERS
from desk.testing.event_keys import encrypted

NATIONAL_ID, OTHER_NATIONAL_ID = "0013542419", "8275737168"
SUBMITTED_AT = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
ANSWER_FILE = {
    "id": "0b9a7d5e-3c41-4f0e-9d5b-6f2f6d1f7a10",
    "name": "قبض.pdf",
    "size": 12,
    "media_type": "application/pdf",
    "sha256": "a" * 64,
}

REPORTS: dict[str, dict[str, Any]] = {
    "case-received": {},
    "case-assigned": {},
    "case-opened": {},
    "case-info-requested": {"question": "شماره فیش شما چیست؟"},
    "case-answered": {
        "text": "قبض شما صادر شد.\nبه دفتر استان بیایید.",
        "files": [ANSWER_FILE],
    },
    "case-rejected": {"reason": "مدرک‌ها کامل نیست."},
    "case-referred": {"province": "fars", "reason": "ساکن استان دیگری هستید."},
    "case-erased": {"certificate_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
    "case-taken-over": {"reason": "پاسخ دیر شده است."},
    "case-commented": {"text": "تا فردا پاسخ دهید."},
}

SECRETS = (
    NATIONAL_ID,
    "زهرا",
    "رضایی",
    "+989123456789",
    "9123456789",
    "zahra.rezaei@example.ir",
    "متن درخواست",
    "شماره فیش",
    "قبض شما",
    "مدرک‌ها",
    "ساکن استان",
    "B12345678",
    "مشکل برطرف",
    "پاسخ روشن",
    "پاسخ دیر شده",
    "تا فردا",
    "پرسش من نبود",
)
"""What no log, metric or file may contain: it is in the events of this module."""


def new_tracking_code() -> str:
    digits = f"{secrets.randbelow(10**11):011}"  # not of `random`, whose seed hypothesis resets
    return digits + damm.calc_check_digit(digits)


def request_data_of(code: str, **changes: Any) -> dict[str, Any]:
    """Return the data of a submission, as intake publishes it."""
    return {
        "tracking_code": code,
        "submitted_at": "2026-12-13T11:00:00Z",
        "due_at": "2026-12-20T20:29:59Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "lost_receipt", "title": "گم شدن قبض"},
        "applicant": {
            "national_id": NATIONAL_ID,
            "birth_date": "1361-12-05",
            "first_name": "زهرا",
            "last_name": "رضایی‌نژاد",
            "gender": "female",
        },
        "contact": {"mobile": "+989123456789", "landline": "+983132223344", "email": "zahra.rezaei@example.ir"},
        "text": "متن درخواست",
        "attachments": [
            {"id": "a-1", "name": "فیش.jpg", "size": 9, "media_type": "image/jpeg", "sha256": "b" * 64},
        ],
        **changes,
    }


def message_of(exchange: str, routing_key: str, sender: str | None, **envelope: Any) -> Message:
    body = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/desk/test",
        "time": "2026-12-13T11:00:00Z",
        "seq": 1,
        "datacontenttype": "application/json",
        **envelope,
    }
    return Message(
        body["id"], exchange, routing_key, body["type"], json.dumps(encrypted(body, "tracking")).encode(), sender
    )


def submission_of(code: str, *, seq: int = 1, **changes: Any) -> Message:
    """Return the message of a submission."""
    data = request_data_of(code, **changes)
    routing_key = f"request-submitted.{data['province']['key']}"
    kind = "ir.haj.desk.request-submitted.v1"
    return message_of("desk.events", routing_key, None, type=kind, subject=code, seq=seq, data=data)


def pending_of(code: str, **changes: Any) -> Message:
    """Return the message of a submission whose applicant is not looked up yet."""
    data = request_data_of(code, **changes)
    kind = "ir.haj.desk.request-pending.v1"
    return message_of("desk.events", "request-pending.isfahan", None, type=kind, subject=code, data=data)


def probe_of(code: str, **changes: Any) -> Message:
    """Return the message of a synthetic request."""
    data = {"tracking_code": code, "submitted_at": "2026-12-13T11:00:00Z", **changes}
    kind = "ir.haj.desk.request-probed.v1"
    return message_of("desk.events", "request-probed.probe", None, type=kind, subject=code, data=data)


def identity_rejection_of(code: str, reason: str = "not_matched") -> Message:
    """Return the message that ends a pending request."""
    data = {"tracking_code": code, "at": "2026-12-14T04:00:00Z", "reason": reason}
    kind = "ir.haj.desk.request-identity-rejected.v1"
    routing_key = "request-identity-rejected.isfahan"
    return message_of("desk.events", routing_key, None, type=kind, subject=code, seq=2, data=data)


def report_of(
    name: str,
    tracking_code: str,
    *,
    province: str = "isfahan",
    seq: int = 1,
    routing_key: str | None = None,
    sender: str | None = "",
    at: str | None = None,
    data: dict[str, Any] | None = None,
    **envelope: Any,
) -> Message:
    """Return the message of a report; by default it happened ``seq`` hours after the submission.

    The broker's user is the province's own, unless ``sender`` names another.
    """
    happened = at or (SUBMITTED_AT + timedelta(hours=seq)).isoformat()
    envelope = {
        "type": f"ir.haj.desk.{name}.v1",
        "source": f"/office/{province}",
        "subject": tracking_code,
        "seq": seq,
        "data": {"tracking_code": tracking_code, "at": happened, **REPORTS[name], **(data or {})},
        **envelope,
    }
    own = province if province == HEADQUARTERS.key else f"province.{province}"
    user = own if sender == "" else sender
    return message_of("desk.cases", routing_key or f"{name}.{province}", user, **envelope)
