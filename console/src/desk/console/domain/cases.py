"""The state of a case, as events of the desk and reports of experts change it, and the claims of experts."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self

from desk.console.domain.errors import (
    CaseClaimedError,
    CaseNotOpenError,
    FieldError,
    ObjectionForSupervisorError,
    OwnAnswerError,
)
from desk.console.domain.states import Kind, Stage, State
from desk.iran.digits import bare, fold
from desk.iran.jalali import in_tehran
from desk.iran.workdays import WorkCalendar

CLAIM_DURATION = timedelta(minutes=30)
"""How long a claim lasts without an action of its expert."""
TEXT_MIN, TEXT_MAX = 2, 4000
FILES_MAX = 5
QUESTION_DAYS, QUESTION_DAYS_MAX = 10, 60
"""Working days that an applicant has for a question, unless the expert names another number."""


_STAGES = {State.NEW: Stage.OPEN, State.IN_PROGRESS: Stage.OPEN, State.OBJECTED: Stage.OPEN, State.ASKED: Stage.ASKED}
_DECIDED = frozenset({State.ANSWERED, State.REJECTED})


_STATE_AFTER = {
    Kind.ASSIGNED: State.IN_PROGRESS,
    Kind.ASKED: State.ASKED,
    Kind.ANSWERED: State.ANSWERED,
    Kind.REJECTED: State.REJECTED,
    Kind.REFERRED: State.REFERRED,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The expert who works on a case, and when the claim ends."""

    account: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a province.

    ``seq`` is the number of the latest event that could change the state, ``request_seq`` that of the event with the
    request: events may arrive late and twice. ``report_seq`` counts the province's reports; ``last_report`` is the id
    of the one that led to the current state, so that its refusal can undo it.
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
    asked_until: datetime | None = None
    """Until when the applicant has to answer the question; after ``UNANSWERED`` until when a reply opens the case."""
    contact_seq: int = 0
    """The number of the latest event with another mobile of the applicant."""
    decided_at: datetime | None = None
    report_seq: int = 0
    last_report: str | None = None
    rating: int | None = None
    refused: bool = False
    """Whether the desk refused the latest report."""
    claim: Claim | None = None
    objection: bool = False
    """Whether the applicant objected in this province's present turn."""
    answerer: str | None = None
    """The account that gave the answer to which the applicant objected: it must not handle the case again."""
    assignee: str | None = None
    """The account whom the case is assigned to until it is decided; others may claim it all the same."""

    @property
    def stage(self) -> Stage:
        """The list of the case."""
        if self.state is State.ERASED:
            return Stage.ERASED
        return Stage.INCOMPLETE if self.submitted_at is None else _STAGES.get(self.state, Stage.DONE)

    @property
    def open(self) -> bool:
        """Whether experts may act on the case."""
        return self.stage in {Stage.OPEN, Stage.ASKED}

    @property
    def objection_pending(self) -> bool:
        """Whether an objection waits for the decision of a supervisor."""
        return self.objection and self.open

    def require_handler(self, account: str, *, supervisor: bool) -> None:
        """Raise OwnAnswerError or ObjectionForSupervisorError if the account must not handle the case."""
        if self.answerer == account:
            raise OwnAnswerError
        if self.objection_pending and not supervisor:
            raise ObjectionForSupervisorError

    def overdue(self, now: datetime) -> bool:
        """Return whether the answer is late; the deadline is suspended while the applicant is asked."""
        return self.stage is Stage.OPEN and self.due_at is not None and self.due_at < now

    def escalates_at(self, calendar: WorkCalendar) -> datetime | None:
        """Return when headquarters is notified of a late answer: after a second period."""
        return _end_of_day_after(self.due_at, self.answer_days, calendar) if self.due_at else None

    def holder(self, now: datetime) -> str | None:
        """Return the account that has claimed the case now."""
        return self.claim.account if self.claim is not None and self.claim.until > now else None

    def claimed_by(self, account: str, now: datetime, *, supervisor: bool = False) -> Self:
        """Claim the case for an account, or extend the claim.

        Raises CaseNotOpenError, CaseClaimedError, OwnAnswerError or ObjectionForSupervisorError.
        """
        if not self.open:
            raise CaseNotOpenError
        self.require_handler(account, supervisor=supervisor)
        if self.holder(now) not in {None, account}:
            raise CaseClaimedError
        return replace(self, claim=Claim(account, now + CLAIM_DURATION))

    def assigned_to(self, account: str, *, supervisor: bool) -> Self:
        """Assign the case. Raises CaseNotOpenError, OwnAnswerError or ObjectionForSupervisorError."""
        if not self.open:
            raise CaseNotOpenError
        self.require_handler(account, supervisor=supervisor)
        return replace(self, assignee=account)

    def released(self, account: str, now: datetime, *, by_supervisor: bool = False) -> Self:
        """End the claim. Raises CaseClaimedError if it is another expert's, unless a supervisor ends it."""
        if not by_supervisor and self.holder(now) not in {None, account}:
            raise CaseClaimedError
        return replace(self, claim=None)

    def reported(self, kind: Kind, report_id: str, now: datetime) -> Self:
        """Count a report, and change to its state."""
        counted = replace(self, report_seq=self.report_seq + 1)
        state = _STATE_AFTER.get(kind)
        if state is None:
            return counted
        return replace(
            counted,
            state=state,
            last_report=report_id,
            refused=False,
            asked_at=now if state is State.ASKED else self.asked_at,
            decided_at=now if state in _DECIDED else self.decided_at,
            claim=self.claim if state is State.IN_PROGRESS else None,
        )

    def requested(self, seq: int, submitted_at: datetime, due_at: datetime, sub_subject: str, days: int) -> Self:
        """Apply a new or referred request; an older one changes nothing."""
        if seq <= self.request_seq:
            return self
        case = replace(self, request_seq=seq, submitted_at=submitted_at, sub_subject=sub_subject, answer_days=days)
        if seq <= self.seq:  # a later event arrived first, and may have changed the deadline
            return replace(case, due_at=self.due_at or due_at)
        return replace(
            case, seq=seq, state=State.NEW, due_at=due_at, claim=None, refused=False, objection=False, assignee=None
        )

    def with_contact(self, seq: int) -> Self:
        """Apply another mobile, which the event ``seq`` brought."""
        return replace(self, contact_seq=max(self.contact_seq, seq))

    def replied(self, seq: int, at: datetime, calendar: WorkCalendar) -> Self:
        """Apply the applicant's reply: extend the deadline by the working days that the applicant took."""
        if seq <= self.seq:
            return self
        case = replace(self, seq=seq)
        if self.state not in {State.ASKED, State.UNANSWERED}:  # decided in the meantime
            return case
        paused = calendar.count(day_of(self.asked_at or at), day_of(at))
        due_at = _end_of_day_after(self.due_at, paused, calendar) if self.due_at and paused else self.due_at
        return replace(case, state=State.IN_PROGRESS, due_at=due_at)

    def asked(self, days: int, calendar: WorkCalendar) -> Self:
        """Return the case after a question that the applicant has so many working days to answer."""
        return replace(self, asked_until=_end_of_day_after(self.asked_at, days, calendar) if self.asked_at else None)

    def left_unanswered(self, seq: int, reply_until: datetime) -> Self:
        """Close the case because the applicant has not answered; a reply until then opens it again."""
        if seq <= self.seq:
            return self
        if self.state is not State.ASKED:
            return replace(self, seq=seq)
        return replace(self, seq=seq, state=State.UNANSWERED, asked_until=reply_until, claim=None)

    def objected(self, seq: int, at: datetime, calendar: WorkCalendar, answerer: str | None = None) -> Self:
        """Apply an objection to the answer of ``answerer``: reopen the case for a new period."""
        case = replace(self, answerer=answerer)
        if seq <= self.seq:
            return case
        return replace(
            case,
            seq=seq,
            objection=True,
            state=State.OBJECTED,
            claim=None,
            assignee=None,
            due_at=_end_of_day_after(at, self.answer_days, calendar),
            refused=False,
        )

    def acted(self, kind: str, seq: int) -> Self:
        """Apply an action of the applicant of which only its kind and its number matter."""
        return self.withdrawn(seq) if kind == "request-withdrawn" else self

    def withdrawn(self, seq: int) -> Self:
        """Apply a withdrawal: close the case."""
        return replace(self, seq=max(seq, self.seq), state=State.WITHDRAWN, claim=None)

    def handed_over(self, seq: int) -> Self:
        """Apply a take-over by headquarters, unless the request came back later: close the case."""
        if seq <= self.seq:
            return self
        return replace(self, seq=seq, state=State.REFERRED, claim=None, objection=False)

    def erased(self, seq: int) -> Self:
        """Return the case without its data; the numbers of events and reports go on."""
        return type(self)(
            self.province,
            self.tracking_code,
            State.ERASED,
            seq=max(seq, self.seq),
            request_seq=self.request_seq,
            report_seq=self.report_seq,
        )

    def overdue_since(self, due_at: datetime) -> Self:
        """Apply the deadline of the desk."""
        return replace(self, due_at=due_at)

    def rated(self, rating: int) -> Self:
        """Apply the applicant's rating."""
        return replace(self, rating=rating)

    def numbered_from(self, expected: int | None) -> Self:
        """Give the next report at least the number that a refusal named: after a restore the count may be too low."""
        return self if expected is None else replace(self, report_seq=max(self.report_seq, expected - 1))

    def undone(self, report_id: str, before: State, *, foreign: bool) -> Self:
        """Revert a refused report if it is the latest; close a case that belongs to another province."""
        if self.state is State.WITHDRAWN:
            return self
        if foreign:
            return replace(self, state=State.REFERRED, claim=None, refused=True)
        if self.last_report != report_id:
            return replace(self, refused=True)
        return replace(self, state=before, refused=True, last_report=None)


def validate_text(field: str, text: str) -> str:
    """Validate and normalize a text of an expert. Raises FieldError."""
    folded = fold(text)
    if not TEXT_MIN <= len(folded) <= TEXT_MAX:
        raise FieldError(field, "متن را بنویسید؛ دست‌کم ۲ و حداکثر ۴۰۰۰ نویسه.")
    return folded


def validate_days(text: str) -> int:
    """Return the working days that the applicant has for an answer, the usual number if empty. Raises FieldError."""
    digits = bare(text) or str(QUESTION_DAYS)
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= QUESTION_DAYS_MAX:
        raise FieldError("question_days", "شمار روزهای کاری را از ۱ تا ۶۰ بنویسید.")
    return int(digits)


def day_of(at: datetime) -> date:
    """Return the day of a moment in Tehran."""
    return in_tehran(at)[0].to_gregorian()


def answer_days(submitted_at: datetime, due_at: datetime, calendar: WorkCalendar) -> int:
    """Return the number of working days for an answer."""
    return max(1, calendar.count(day_of(submitted_at), day_of(due_at)))


def _end_of_day_after(at: datetime, days: int, calendar: WorkCalendar) -> datetime:
    return calendar.end_of_day(calendar.add(day_of(at), days))
