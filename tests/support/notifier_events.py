"""Events that notifier consumes, with synthetic data."""

import json
import uuid
from typing import Any

from desk.chassis.events import Message
from desk.testing.event_keys import encrypted

MOBILE, EMAIL = "+989123456789", "zahra.rezaei@example.ir"
CODE = "123456789012"


def submission_data(**changes: Any) -> dict[str, Any]:
    """Return the data of a submission, as intake publishes it."""
    return {
        "tracking_code": CODE,
        "submitted_at": "2026-12-13T11:00:00Z",
        "due_at": "2026-12-20T20:00:00Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "hajj_deposit_receipt", "title": "صدور قبض"},
        "applicant": {
            "national_id": "0013542419",
            "first_name": "زهرا",
            "last_name": "رضایی‌نژاد",
            "gender": "female",
        },
        "contact": {"mobile": MOBILE, "landline": None, "email": EMAIL},
        "text": "متن درخواست",
        "attachments": [],
        **changes,
    }


def status_change_data(state: str = "answered", **changes: Any) -> dict[str, Any]:
    """Return the data of a status change."""
    return {
        "tracking_code": CODE,
        "state": state,
        "state_title": "پاسخ داده شد",
        "at": "2026-12-15T09:30:00Z",
        "due_at": "2026-12-20T20:00:00Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "applicant": {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"},
        "contact": {"mobile": MOBILE, "email": EMAIL},
        "note": None,
        "answer": {"text": "قبض شما صادر شد.\nبه دفتر استان بیایید.", "at": "2026-12-15T09:30:00Z"}
        if state == "answered"
        else None,
        **changes,
    }


def event_of(name: str, data: dict[str, Any], *, seq: int = 1, **envelope: Any) -> Message:
    """Return the message of an event."""
    event_id = str(uuid.uuid4())
    body = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/desk/test",
        "type": f"ir.haj.desk.{name}.v1",
        "subject": CODE,
        "time": "2026-12-13T11:00:00Z",
        "seq": seq,
        "datacontenttype": "application/json",
        "data": data,
        **envelope,
    }
    return Message(
        id=event_id,
        exchange="desk.events",
        routing_key=f"{name}.isfahan",
        type=body["type"],
        body=json.dumps(encrypted(body, "notifier")).encode(),
    )
