"""The rows of cases and of their histories."""

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row

from desk.chassis.crypto import Vault
from desk.security.data_keys import DataKey
from desk.tracking.domain import Case, HistoryEntry, Request, State

OPENED, CONTACT_CHANGED = "opened", "contact_changed"
"""The action of a history entry about an expert who opened the case, or about a new mobile."""
RECORDS = (OPENED, CONTACT_CHANGED)
REQUEST = TypeAdapter(Request)

CONTACT = "contact"
"""The purpose of the keyed hash of an applicant's number together with a mobile."""


def person_of(national_id: str, mobile: str) -> str:
    """Return the text of which ``contact_index`` is the keyed hash; ``mobile`` is E.164.

    One hash of both: a list for a number and a mobile then costs the same whether or not the number has requests.
    """
    return f"{national_id}/{mobile}"


def owner_columns(request: Request, vault: Vault) -> dict[str, str]:
    """Return the columns by which a case is found by its applicant, and listed for the owner of its mobile."""
    number, mobile = request.applicant.national_id, request.contact.mobile
    return {
        "owner_index": vault.index(number, "national_id"),
        "contact_index": vault.index(person_of(number, mobile), CONTACT) if mobile else "",
        "index_key": vault.index_key_ids[0],
    }


def subject_columns(request: Request) -> dict[str, str]:
    """Return the columns by which a case is counted; they are not personal."""
    return {"subject": request.subject.key, "sub_subject": request.sub_subject.key}


def read_case(row: Row[Any]) -> Case:
    """Return the case of a row."""
    return Case(
        tracking_code=row.tracking_code,
        province=row.province,
        state=State(row.state),
        seq=row.seq,
        report_seq=row.report_seq,
        turn=row.turn,
        submitted_at=row.submitted_at,
        due_at=row.due_at,
        since=row.since or row.submitted_at,
        answer_days=row.answer_days,
        overdue=row.overdue,
        alarm_at=row.alarm_at,
        office_due_at=row.office_due_at,
        question_until=row.question_until,
        reminded=row.reminded,
        commented=row.commented,
        unreached=row.unreached,
        first_answer_days=row.first_answer_days,
        objections=row.objections,
        ratings=row.ratings,
        rating_sum=row.rating_sum,
        counted=row.counted,
    )


def sealed(request: Request, key: DataKey) -> bytes:
    """Return the encrypted request of a case."""
    return key.seal(REQUEST.dump_json(request), f"case.request:{request.tracking_code}")


def case_row(case: Case, request: Request, key: DataKey, vault: Vault) -> dict[str, object]:
    """Return the row of a new case with its encrypted request."""
    return {
        **columns(case),
        "tracking_code": case.tracking_code,
        **owner_columns(request, vault),
        **subject_columns(request),
        "submitted_at": case.submitted_at,
        "request": sealed(request, key),
    }


def entry_row(tracking_code: str, entry: HistoryEntry) -> dict[str, object]:
    """Return the row of an entry without its words."""
    return {
        "event_id": entry.event_id,
        "tracking_code": tracking_code,
        "at": entry.at,
        "recorded_at": datetime.now(UTC),
        "turn": entry.turn,
        "seq": entry.seq,
        "state": entry.state.value,
        "action": _action(entry),
    }


def _action(entry: HistoryEntry) -> str | None:
    if entry.is_record:
        return OPENED if entry.opened else CONTACT_CHANGED
    return entry.action.value if entry.action else None


def columns(case: Case) -> dict[str, object]:
    """Return the columns that change with the state of a case."""
    return {
        "province": case.province,
        "state": case.state.value,
        "seq": case.seq,
        "report_seq": case.report_seq,
        "turn": case.turn,
        "due_at": case.due_at,
        "since": case.since,
        "answer_days": case.answer_days,
        "overdue": case.overdue,
        "alarm_at": case.alarm_at,
        "office_due_at": case.office_due_at,
        "question_until": case.question_until,
        "reminded": case.reminded,
        "commented": case.commented,
        "unreached": case.unreached,
        "first_answer_days": case.first_answer_days,
        "objections": case.objections,
        "ratings": case.ratings,
        "rating_sum": case.rating_sum,
        "counted": case.counted,
    }
