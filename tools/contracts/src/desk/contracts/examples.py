"""One example of each event. Together they tell the story of one request, and of five others where it has to branch.

The main request is submitted while the civil registry does not answer, and released to Isfahan. An expert there
receives, opens and takes it, asks a question, is late, and answers. The applicant objects, and a supervisor rejects.
At the end of its term the request is erased. ``seq`` counts the desk's events of a request, and in reports the office's
own reports on it: both begin at 1.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter

import desk.intake.events as intake
import desk.notifier.events as notifier
import desk.tracking.events as tracking
from desk.chassis.events import Event
from desk.chassis.moments import Moment
from desk.contracts.encrypted import Envelope
from desk.iran.offices import HEADQUARTERS
from desk.tracking.domain import TITLES, ErasureReason, RefusalReason, State

MAIN = "123456789018"
WITHDRAWN_PENDING, NOT_MATCHED, WITHDRAWN, REFERRED = "202611220010", "202611220029", "202611220032", "202611220041"
"""Other requests: withdrawn before the look-up, not confirmed, withdrawn later, referred to Isfahan and back."""
PROBED = "202611220064"
"""A synthetic request."""
TAKEN_OVER = "202611220055"
"""A request that headquarters comments on, and then takes over from Isfahan."""
OFFICE = "isfahan"
_HEADQUARTERS = {"key": HEADQUARTERS.key, "name": HEADQUARTERS.name}

_START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
_DUE = datetime(2026, 12, 6, 20, 29, 59, tzinfo=UTC)
_TIME: TypeAdapter[datetime] = TypeAdapter(Moment)
_NAMES = uuid.UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")

_PERSON = {"first_name": "نرگس", "last_name": "باران‌دشت", "gender": "female"}
_CONTACT = {"mobile": "+989120000000", "landline": "+983132345678", "email": "applicant@example.com"}
_FILE = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "name": "گذرنامه.pdf",
    "size": 183204,
    "media_type": "application/pdf",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_VISA = _FILE | {"id": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "name": "روادید.pdf"}
_REQUEST: Mapping[str, Any] = {
    "submitted_at": _START,
    "due_at": _DUE,
    "province": {"key": OFFICE, "name": "اصفهان"},
    "subject": {"key": "umrah", "title": "عمرهٔ مفرده"},
    "sub_subject": {"key": "umrah_visa", "title": "روادید و گذرنامهٔ عمره"},
    "applicant": _PERSON | {"national_id": "8275737168", "birth_date": "1361-12-05"},
    "contact": _CONTACT,
    **{name: field.examples[0] for name, field in intake.ContentData.model_fields.items() if field.examples},
    "attachments": [_FILE | {"document": {"key": "passport", "title": "تصویر گذرنامه"}}],
    "office": {"key": OFFICE, "name": "اصفهان"},
    "fields": [
        {
            "key": "passport_valid_until",
            "title": "تاریخ پایان اعتبار گذرنامه",
            "kind": "date",
            "value": "1407-03-15",
            "text": "یکشنبه ۱۵ خرداد ۱۴۰۷",
        }
    ],
    "source": "counter",
    "representative": {"name": "پرویز باران‌دشت", "national_id": "0013542419", "mobile": "+989120000001"},
    "registration": {"office": {"key": OFFICE, "name": "اصفهان"}, "expert": "n.baran", "mobile_owner": "own"},
}
_CERTIFICATE = "c2b4f1d0-5d1c-4d8e-9a55-0b6f3a9d7e21"
_ANSWER = "روادید شما صادر شده است و به دفتر کاروان تحویل می‌شود."


class Example(NamedTuple):
    """An event with its source, its subject, its number ``seq`` and its time."""

    source: str
    event: Event
    seq: int
    at: datetime

    @property
    def id(self) -> str:
        """Its id, which never changes."""
        return id_of(self.event.name)

    @property
    def envelope(self) -> Envelope:
        """The whole event before its data is encrypted."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.event.type(),
            "subject": getattr(self.event, "tracking_code", OFFICE),
            "time": _TIME.dump_python(self.at, mode="json"),
            "seq": self.seq,
            "datacontenttype": "application/json",
            "data": self.event.model_dump(mode="json"),
        }


def id_of(name: str) -> str:
    """Return the id of the example of an event."""
    return str(uuid.uuid5(_NAMES, name))


def examples() -> list[Example]:
    """Return one example of each event, in the order of the story."""
    return [*_submission(), *_work(), *_decision(), *_other_requests(), *_take_over(), *_erasure()]


def _at(days: int, hours: int = 0, minutes: int = 0) -> datetime:
    """Return a moment of the story, counted from the submission."""
    return _START + timedelta(days=days, hours=hours, minutes=minutes)


def _intake(event: Event, seq: int, at: datetime) -> Example:
    return Example("/desk/intake", event, seq, at)


def _desk(event: Event, seq: int, at: datetime) -> Example:
    return Example("/desk/tracking", event, seq, at)


def _report(
    kind: type[Event], seq: int, at: datetime, code: str = MAIN, *, office: str = OFFICE, **data: Any
) -> Example:
    return Example(f"/office/{office}", kind.model_validate({"tracking_code": code, "at": at, **data}), seq, at)


def _submission() -> Iterator[Example]:
    request = {**_REQUEST, "tracking_code": MAIN}
    yield _intake(intake.RequestPending.model_validate(request), 1, _START)
    submitted = intake.RequestSubmitted.model_validate({**request, "identity": "confirmed"})
    yield _intake(submitted, 2, _at(0, 0, 4))


def _work() -> Iterator[Example]:
    yield _report(tracking.CaseReceived, 1, _at(0, 0, 5))
    yield _report(tracking.CaseOpened, 2, _at(1))
    yield _report(tracking.CaseAssigned, 3, _at(1, 0, 1))
    yield _report(tracking.CaseInfoRequested, 4, _at(1, 0, 20), question="شمارهٔ گذرنامه را بنویسید.")
    at = _at(2)
    replied = {"tracking_code": MAIN, "at": at, "text": "تصویر گذرنامه پیوست است.", "files": [_FILE]}
    yield _desk(tracking.RequestReplied.model_validate(replied), 6, at)
    yield _desk(tracking.RequestOverdue.model_validate(_late(_DUE)), 7, _DUE)
    at = _DUE + timedelta(14)
    trail = [{"office": _REQUEST["office"], "since": _START}]
    yield _desk(tracking.RequestEscalated.model_validate(_late(at) | {"trail": trail}), 8, at)
    waiting = {"province": _REQUEST["province"], "at": _DUE, "waiting": 12, "oldest_since": _START}
    yield _desk(tracking.ProvinceSilent.model_validate(waiting), 1, _DUE)


def _late(at: datetime) -> dict[str, Any]:
    parts = {part: _REQUEST[part] for part in ("province", "subject", "sub_subject")}
    return {"tracking_code": MAIN, "at": at, "due_at": _DUE, "state": "in_progress", **parts}


def _decision() -> Iterator[Example]:
    at = _at(29)
    yield _report(tracking.CaseAnswered, 5, at, text=_ANSWER, files=[_VISA])
    yield _desk(_answered(at), 9, at)
    case = {"tracking_code": MAIN}
    rated = tracking.RequestRated.model_validate(case | {"at": _at(30), "rating": 2, "comment": "پاسخ دیر رسید."})
    yield _desk(rated, 10, _at(30))
    objected = {"at": _at(30, 1), "text": "پاسخ به پرسش من نبود.", "answer_report_id": id_of("case-answered")}
    yield _desk(tracking.RequestObjected.model_validate(case | objected), 11, _at(30, 1))
    yield _report(tracking.CaseRejected, 6, _at(33), reason="مهلت ثبت‌نام به پایان رسیده است.")


def _answered(at: datetime) -> Event:
    return tracking.RequestStatusChanged(
        tracking_code=MAIN,
        state=State.ANSWERED,
        state_title=TITLES[State.ANSWERED],
        at=at,
        due_at=_DUE,
        province=tracking.Named.model_validate(_REQUEST["province"]),
        office=tracking.Named.model_validate(_REQUEST["office"]),
        note=None,
        answer=tracking.AnswerData(text=_ANSWER, at=at, files=[tracking.FileReference.model_validate(_VISA)]),
        applicant=tracking.ApplicantName.model_validate(_PERSON),
        contact=tracking.Contact.model_validate(_CONTACT),
    )


def _other_requests() -> Iterator[Example]:
    withdrawn = tracking.RequestPendingWithdrawn(tracking_code=WITHDRAWN_PENDING, at=_at(0, 1))
    yield _desk(withdrawn, 2, _at(0, 1))
    yield _intake(intake.RequestProbed(tracking_code=PROBED, submitted_at=_START), 1, _START)
    rejected = intake.RequestIdentityRejected(tracking_code=NOT_MATCHED, at=_at(0, 2), reason="not_matched")
    yield _intake(rejected, 2, _at(0, 2))
    given_up = tracking.RequestWithdrawn(tracking_code=WITHDRAWN, at=_at(3), reason="مشکل برطرف شد.")
    yield _desk(given_up, 2, _at(3))
    referred = {"tracking_code": REFERRED, "reason": "محل سکونت متقاضی در استان شماست.", "history": _history()}
    yield _desk(tracking.RequestReferred.model_validate({**_REQUEST, **referred}), 4, _at(4))
    yield _report(tracking.CaseReferred, 1, _at(5), REFERRED, province="fars", reason="کاروان در فارس است.")
    yield _desk(
        tracking.CaseRefused(
            tracking_code=REFERRED,
            report="case-answered",
            report_id=str(uuid.uuid5(_NAMES, "a report after the referral")),
            reason=RefusalReason.FOREIGN_CASE,
            explanation="this case belongs to another office",
            at=_at(6),
        ),
        7,
        _at(6),
    )


def _take_over() -> Iterator[Example]:
    case, text = {"tracking_code": TAKEN_OVER, "office": _HEADQUARTERS}, "لطفاً تا فردا پاسخ دهید."
    reason = "پاسخ استان دیر شده است و ستاد آن را پیگیری می‌کند."
    office = HEADQUARTERS.key
    failed = case | {"at": _at(2), "notice": "submitted", "channel": "sms", "reason": "not_delivered"}
    yield Example("/desk/notifier", notifier.NoticeFailed.model_validate(failed), 1, _at(2))
    yield _desk(tracking.RequestNoticeFailed.model_validate(failed), 3, _at(2))
    contact = _REQUEST["contact"] | {"mobile": "+989127654321"}
    given = {"tracking_code": WITHDRAWN, "contact": contact, "previous_mobile": _REQUEST["contact"]["mobile"]}
    named = {name: _REQUEST[name] for name in ("province", "applicant")} | {"office": _REQUEST["province"]}
    yield _desk(tracking.RequestContactChanged.model_validate(given | named | {"at": _at(3)}), 4, _at(3))
    unanswered = {"tracking_code": WITHDRAWN, "at": _at(20), "reply_until": _at(35)}
    yield _desk(tracking.RequestUnanswered.model_validate(unanswered), 5, _at(20))
    yield _report(tracking.CaseCommented, 1, _at(16), TAKEN_OVER, office=office, text=text)
    yield _desk(tracking.RequestCommented.model_validate(case | {"at": _at(16), "text": text}), 4, _at(16))
    yield _report(tracking.CaseTakenOver, 2, _at(18), TAKEN_OVER, office=office, reason=reason)
    yield _desk(tracking.RequestTakenOver.model_validate(case | {"at": _at(18), "reason": reason}), 6, _at(18))


def _history() -> list[dict[str, Any]]:
    return [
        {"at": at, "state": state, "title": title, "note": note, "action": action, "answer": None, "files": files}
        for at, state, title, note, action, files in (
            (_START, "registered", "ثبت شد", None, None, []),
            (_at(1), "info_requested", "نیازمند توضیح شما", "تصویر گذرنامه را بفرستید.", None, []),
            (_at(2), "in_progress", "توضیح شما فرستاده شد", "تصویر گذرنامه پیوست است.", "reply", [_FILE]),
        )
    ]


def _erasure() -> Iterator[Example]:
    at = _at(778)
    ends = {"tracking_code": MAIN, "certificate_id": _CERTIFICATE, "at": at}
    yield _desk(tracking.RequestErased.model_validate(ends | {"reason": ErasureReason.RETENTION}), 14, at)
    removed = {"requests": 1, "files": 2, "keys": 3}
    yield _intake(intake.ErasureDone.model_validate(ends | {"removed": removed}), 14, at)
    yield _report(tracking.CaseErased, 7, _at(778, 1), certificate_id=_CERTIFICATE)
