"""The life of a case in the console: what the desk's events and the experts' reports make of it, and who holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from desk.console.domain.errors import CaseHeldError, CaseNotOpenError, FieldError
from desk.iran.digits import fold
from desk.iran.jalali import in_tehran
from desk.iran.workdays import WorkCalendar

HOLD = timedelta(minutes=30)
"""How long an expert has a case without doing anything about it."""
TEXT_MIN, TEXT_MAX = 2, 4000
FILES_MAX, FILE_BYTES_MAX = 5, 5 * 1024 * 1024


class State(StrEnum):
    """Where a case stands for its experts."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    OBJECTED = "objected"
    ASKED = "asked"
    ANSWERED = "answered"
    REJECTED = "rejected"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"


class Stage(StrEnum):
    """Which list a case is in. ``unheard`` is one of which only a later event came so far."""

    UNHEARD = "unheard"
    OPEN = "open"
    ASKED = "asked"
    DONE = "done"


STATE_TITLES: Mapping[State, str] = {
    State.NEW: "تازه رسیده",
    State.IN_PROGRESS: "در دست بررسی",
    State.OBJECTED: "اعتراض متقاضی",
    State.ASKED: "در انتظار متقاضی",
    State.ANSWERED: "پاسخ داده شد",
    State.REJECTED: "رد شد",
    State.REFERRED: "ارجاع شد",
    State.WITHDRAWN: "متقاضی پس گرفت",
}
_STAGES = {State.NEW: Stage.OPEN, State.IN_PROGRESS: Stage.OPEN, State.OBJECTED: Stage.OPEN, State.ASKED: Stage.ASKED}
_DECIDED = frozenset({State.ANSWERED, State.REJECTED})


class Kind(StrEnum):
    """What experts report."""

    RECEIVED = "case-received"
    ASSIGNED = "case-assigned"
    ASKED = "case-info-requested"
    ANSWERED = "case-answered"
    REJECTED = "case-rejected"
    REFERRED = "case-referred"


_LEADS_TO = {
    Kind.ASSIGNED: State.IN_PROGRESS,
    Kind.ASKED: State.ASKED,
    Kind.ANSWERED: State.ANSWERED,
    Kind.REJECTED: State.REJECTED,
    Kind.REFERRED: State.REFERRED,
}


@dataclass(frozen=True, slots=True)
class Hold:
    """Who works on a case, and until when if nothing happens."""

    account: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a province.

    ``seq`` is the number of the latest event that had a say in its state, ``request_seq`` that of the event its request
    is from: events may come late, and twice. ``report_seq`` counts the province's reports; ``last_report`` is the id of
    the one that made the present state, so that its refusal can undo it.
    """

    province: str
    tracking_code: str
    state: State = State.NEW
    seq: int = 0
    request_seq: int = 0
    submitted_at: datetime | None = None
    due_at: datetime | None = None
    answer_days: int = 1
    sub_subject: str = ""
    asked_at: datetime | None = None
    decided_at: datetime | None = None
    report_seq: int = 0
    last_report: str | None = None
    rating: int | None = None
    refused: bool = False
    """Whether the desk refused the latest report."""
    hold: Hold | None = None

    @property
    def stage(self) -> Stage:
        """Which list it is in."""
        return Stage.UNHEARD if self.submitted_at is None else _STAGES.get(self.state, Stage.DONE)

    @property
    def open(self) -> bool:
        """Whether experts may still act."""
        return self.stage in {Stage.OPEN, Stage.ASKED}

    def overdue(self, now: datetime) -> bool:
        """Return whether its answer is late; while the applicant is asked, time stands still."""
        return self.stage is Stage.OPEN and self.due_at is not None and self.due_at < now

    def escalates_at(self, calendar: WorkCalendar) -> datetime | None:
        """Give when headquarters is told of a late answer: after a second period."""
        return _later(self.due_at, self.answer_days, calendar) if self.due_at else None

    def holder(self, now: datetime) -> str | None:
        """Return the account that has the case now."""
        return self.hold.account if self.hold is not None and self.hold.until > now else None

    def taken(self, account: str, now: datetime) -> Self:
        """Give it to an expert, or leave it with them longer. Raises CaseNotOpenError or CaseHeldError."""
        if not self.open:
            raise CaseNotOpenError
        if self.holder(now) not in {None, account}:
            raise CaseHeldError
        return replace(self, hold=Hold(account, now + HOLD))

    def released(self, account: str, now: datetime, *, by_supervisor: bool = False) -> Self:
        """Let go of it. Raises CaseHeldError if it is somebody else's, unless a supervisor does it."""
        if not by_supervisor and self.holder(now) not in {None, account}:
            raise CaseHeldError
        return replace(self, hold=None)

    def reported(self, kind: Kind, report_id: str, now: datetime) -> Self:
        """Count a report, and go where it leads."""
        counted = replace(self, report_seq=self.report_seq + 1)
        state = _LEADS_TO.get(kind)
        if state is None:
            return counted
        return replace(
            counted,
            state=state,
            last_report=report_id,
            refused=False,
            asked_at=now if state is State.ASKED else self.asked_at,
            decided_at=now if state in _DECIDED else self.decided_at,
            hold=self.hold if state is State.IN_PROGRESS else None,
        )

    def requested(self, seq: int, submitted_at: datetime, due_at: datetime, sub_subject: str, days: int) -> Self:
        """Learn of the request itself, new or referred here; an older word of it changes nothing."""
        if seq <= self.request_seq:
            return self
        case = replace(self, request_seq=seq, submitted_at=submitted_at, sub_subject=sub_subject, answer_days=days)
        if seq <= self.seq:  # something later was heard first, and may have moved the date
            return replace(case, due_at=self.due_at or due_at)
        return replace(case, seq=seq, state=State.NEW, due_at=due_at, hold=None, refused=False)

    def replied(self, seq: int, at: datetime, calendar: WorkCalendar) -> Self:
        """Go on with a case whose applicant has answered, with the working days that they took."""
        if seq <= self.seq:
            return self
        case = replace(self, seq=seq)
        if self.state is not State.ASKED:  # decided meanwhile, and the desk will see it so
            return case
        paused = calendar.count(day_of(self.asked_at or at), day_of(at))
        due_at = _later(self.due_at, paused, calendar) if self.due_at and paused else self.due_at
        return replace(case, state=State.IN_PROGRESS, due_at=due_at)

    def objected(self, seq: int, at: datetime, calendar: WorkCalendar) -> Self:
        """Open it again, for a new period."""
        if seq <= self.seq:
            return self
        return replace(
            self, seq=seq, state=State.OBJECTED, hold=None, due_at=_later(at, self.answer_days, calendar), refused=False
        )

    def withdrawn(self, seq: int) -> Self:
        """End it: nothing is to be done any more."""
        return replace(self, seq=max(seq, self.seq), state=State.WITHDRAWN, hold=None)

    def late(self, due_at: datetime) -> Self:
        """Believe the desk about the date."""
        return replace(self, due_at=due_at)

    def rated(self, rating: int) -> Self:
        """Note what the applicant thinks of the answer."""
        return replace(self, rating=rating)

    def undone(self, report_id: str, before: State, *, foreign: bool) -> Self:
        """Take back what a refused report did, if nothing came after it; another province's case is let go."""
        if self.state is State.WITHDRAWN:
            return self
        if foreign:
            return replace(self, state=State.REFERRED, hold=None, refused=True)
        if self.last_report != report_id:
            return replace(self, refused=True)
        return replace(self, state=before, refused=True, last_report=None)


def written(field: str, text: str) -> str:
    """Give what an expert wrote, folded. Raises FieldError."""
    folded = fold(text)
    if not TEXT_MIN <= len(folded) <= TEXT_MAX:
        raise FieldError(field, "متن را بنویسید؛ دست‌کم ۲ و حداکثر ۴۰۰۰ نویسه.")
    return folded


def day_of(at: datetime) -> date:
    """Return the day of a moment in Tehran."""
    return in_tehran(at)[0].to_gregorian()


def answer_days(submitted_at: datetime, due_at: datetime, calendar: WorkCalendar) -> int:
    """Count the working days an answer may take."""
    return max(1, calendar.count(day_of(submitted_at), day_of(due_at)))


def _later(at: datetime, days: int, calendar: WorkCalendar) -> datetime:
    return calendar.end_of_day(calendar.add(day_of(at), days))
