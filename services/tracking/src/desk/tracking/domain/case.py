"""A case, its clock, and what its applicant may do."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self

from desk.chassis.problem import DomainError
from desk.iran.jalali import in_tehran
from desk.iran.workdays import WorkCalendar
from desk.tracking.domain.errors import (
    ActionNotPossibleError,
    AlreadyObjectedError,
    AlreadyRatedError,
    IllegalMoveError,
    ObjectionTooLateError,
    RefusedError,
)
from desk.tracking.domain.states import LEADS_TO, Action, Party, State, may

_RUNNING = frozenset({State.REGISTERED, State.RECEIVED, State.IN_PROGRESS, State.OBJECTED})
"""The states in which a province has to act, and time runs."""
_DECIDED = frozenset({State.ANSWERED, State.REJECTED})
PROVINCE_TOLD, HEADQUARTERS_TOLD = 1, 2


def day_of(at: datetime) -> date:
    """Give the day of a moment in Tehran."""
    return in_tehran(at)[0].to_gregorian()


@dataclass(frozen=True, slots=True)
class Terms:
    """What time a province has and an applicant."""

    calendar: WorkCalendar
    objection_days: int


@dataclass(frozen=True, slots=True)
class Case:
    """A request in the hands of a province.

    ``seq`` counts what was announced of it; ``report_seq`` is the highest number among the present province's reports
    that were applied, so that a report which was overtaken changes nothing any more. ``turn`` counts the referrals:
    each province in turn numbers its reports from one. ``since`` is when tracking learnt of the present state.
    ``answer_days`` is how many working days a province has for an answer; None in cases older than the number.
    ``overdue`` says who has been told of a late answer: nobody (0), the province, headquarters too. ``alarm_at`` is
    when time has run out for what is awaited now; None while nothing is.
    """

    tracking_code: str
    province: str
    state: State
    seq: int
    report_seq: int
    submitted_at: datetime
    due_at: datetime
    since: datetime
    turn: int = 0
    answer_days: int | None = None
    overdue: int = 0
    alarm_at: datetime | None = None

    def move_to(self, state: State, by: Party, *, at: datetime, report_seq: int | None = None) -> Self:
        """Go to ``state`` as a party wants, in its report ``report_seq`` if it has one. Raises IllegalMoveError."""
        if not may(by, self.state, state):
            raise IllegalMoveError(self.state, state)
        return replace(self, state=state, since=at, report_seq=self.report_seq if report_seq is None else report_seq)

    def hear_of_identity(self, state: State, *, at: datetime, seq: int) -> Self:
        """Follow what intake has learnt of the applicant, in its event number ``seq``. Raises IllegalMoveError."""
        return replace(self.move_to(state, Party.INTAKE, at=at), seq=max(self.seq, seq))

    def refer_to(self, province: str, *, at: datetime, report_seq: int, other_subject: bool = False) -> Self:
        """Hand the case to another province, or to another subject in the same one, where it begins anew.

        In the same province its reports are numbered on. Raises IllegalMoveError or RefusedError.
        """
        if province == self.province and not other_subject:
            raise RefusedError("same_province", "a case cannot be referred to the province and subject it is in")
        referred = self.move_to(State.REFERRED, Party.PROVINCE, at=at, report_seq=report_seq)
        if province == self.province:
            return referred.move_to(State.REGISTERED, Party.DESK, at=at)
        begun_anew = referred.move_to(State.REGISTERED, Party.DESK, at=at, report_seq=0)
        return replace(begun_anew, province=province, turn=self.turn + 1)

    def timed(self, before: "Case", terms: Terms) -> Self:
        """Set the clock anew after a move from ``before``.

        While the applicant is asked, the province's time stands still: each working day of it moves the due date by
        one. An objection begins a new period.
        """
        days = self.answer_days or max(1, terms.calendar.count(day_of(self.submitted_at), day_of(self.due_at)))
        case = replace(self, answer_days=days)
        if before.state is State.INFO_REQUESTED and self.since != before.since:
            paused = terms.calendar.count(day_of(before.since), day_of(self.since))
            if paused:
                case = replace(case, due_at=_later(case.due_at, paused, terms.calendar))
        if self.state is State.OBJECTED and before.state is not State.OBJECTED:
            case = replace(case, due_at=_later(self.since, days, terms.calendar), overdue=0)
        return replace(case, alarm_at=case.next_alarm(terms))

    def next_alarm(self, terms: Terms) -> datetime | None:
        """Give when time runs out for what is awaited now."""
        if self.state in _DECIDED:
            return self.objection_until(terms.objection_days) + timedelta(seconds=1)
        if self.state not in _RUNNING or self.overdue >= HEADQUARTERS_TOLD:
            return None
        if self.overdue < PROVINCE_TOLD:
            return self.due_at
        return _later(self.due_at, self.answer_days or 1, terms.calendar)

    def ring(self, terms: Terms, *, at: datetime) -> Self:
        """Note that time has run out: a decided case is closed, and of a late one the next in turn is told."""
        rung = (
            self.move_to(State.CLOSED, Party.DESK, at=at)
            if self.state in _DECIDED
            else replace(self, overdue=self.overdue + 1)
        )
        return rung.timed(self, terms)

    def announced(self) -> Self:
        """Count one more announcement."""
        return replace(self, seq=self.seq + 1)

    def follow(self, action: Action, past: "Past", *, at: datetime, objection_days: int) -> Self:
        """Let the applicant act.

        Raises ActionNotPossibleError, AlreadyRatedError, AlreadyObjectedError or ObjectionTooLateError.
        """
        wanted = LEADS_TO[action] or self.state
        if not may(Party.APPLICANT, self.state, wanted):
            raise ActionNotPossibleError
        if action is Action.RATE:
            if not past.answered:
                raise ActionNotPossibleError
            if past.rated:
                raise AlreadyRatedError
            return self
        if action is Action.OBJECT:
            if past.objected:
                raise AlreadyObjectedError
            if at > self.objection_until(objection_days):
                raise ObjectionTooLateError
        return self.move_to(wanted, Party.APPLICANT, at=at)

    def actions(self, past: "Past", *, at: datetime, objection_days: int) -> list[Action]:
        """List what the applicant may do now."""
        return [action for action in Action if self._allows(action, past, at, objection_days)]

    def _allows(self, action: Action, past: "Past", at: datetime, objection_days: int) -> bool:
        try:
            self.follow(action, past, at=at, objection_days=objection_days)
        except DomainError:
            return False
        return True

    def objection_until(self, days: int) -> datetime:
        """Give the last moment of an objection to the answer: the end, in Tehran, of the last of so many days."""
        return WorkCalendar.end_of_day(day_of(self.since) + timedelta(days=days))


def _later(at: datetime, days: int, calendar: WorkCalendar) -> datetime:
    """Give the end of the n-th working day after the day of ``at``, both in Tehran."""
    return calendar.end_of_day(calendar.add(day_of(at), days))


@dataclass(frozen=True, slots=True)
class Past:
    """What matters of a case's history for what its applicant may do."""

    answered: bool
    rated: bool
    """Whether the latest answer is rated."""
    objected: bool
