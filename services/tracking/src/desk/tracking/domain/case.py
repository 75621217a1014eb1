"""A case, its deadlines, and the actions of its applicant."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self

from desk.chassis.problem import DomainError
from desk.iran.jalali import in_tehran
from desk.iran.offices import HEADQUARTERS
from desk.iran.workdays import WorkCalendar
from desk.tracking.domain.errors import (
    ActionNotPossibleError,
    AlreadyObjectedError,
    AlreadyRatedError,
    ObjectionTooLateError,
)
from desk.tracking.domain.history import HistorySummary
from desk.tracking.domain.refusals import IllegalTransitionError, SameProvinceError
from desk.tracking.domain.states import ACTIONS, WITHOUT_MESSAGES, Action, Party, State, is_allowed

_RUNNING = frozenset({State.REGISTERED, State.RECEIVED, State.IN_PROGRESS, State.OBJECTED})
"""The states in which a province has to act, so that the period of the answer runs."""
_DECIDED = frozenset({State.ANSWERED, State.REJECTED})
_ENDING = _DECIDED | {State.UNANSWERED}
"""The states that are closed unless the applicant acts."""
_PAUSED = frozenset({State.INFO_REQUESTED, State.UNANSWERED})
"""The states in which the applicant has to act, so that the office's period stops."""
PROVINCE_NOTIFIED, HEADQUARTERS_NOTIFIED = 1, 2
"""Values of :attr:`Case.overdue`."""
OBJECTIONS_MAX = 2
"""The office of the case decides the first objection, headquarters the second."""


def day_of(at: datetime) -> date:
    """Return the day of a moment in Tehran."""
    return in_tehran(at)[0].to_gregorian()


@dataclass(slots=True)
class Terms:
    """The periods that provinces and applicants have.

    ``calendar`` is replaced when headquarters announces a day off.
    """

    calendar: WorkCalendar
    objection_days: int
    question_days: int = 10
    """Working days that an applicant has for a question whose office names no other number."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request that an office works on.

    ``province`` is the key of the office: of a province, or of headquarters. ``seq`` is the number of the case's last
    published event. ``report_seq`` is the highest number among the applied
    reports of the present office; a report with a lower number was overtaken and changes no state. ``turn`` counts
    the handovers: each office in turn numbers its reports from one. ``since`` is when tracking recorded the present
    state. ``answer_days`` is the period of an answer in working days; None in cases older than that column. ``overdue``
    is 0 while the answer is not late, then ``PROVINCE_NOTIFIED``, then ``HEADQUARTERS_NOTIFIED``. ``alarm_at`` is the
    next deadline; None if there is none. ``office_due_at`` is when the present office has to answer, if it got the case
    after the day that was promised to the applicant, ``due_at``; else None.

    The rest is for figures. ``first_answer_days`` are the working days from the submission to the first answer, None
    before it. ``counted`` says whether the roll-up of figures contains the case.
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
    office_due_at: datetime | None = None
    question_until: datetime | None = None
    """Until when the applicant has to answer the question of the present state; None for a question without a term."""
    reminded: bool = False
    """Whether the applicant was reminded of that question."""
    commented: bool = False
    """Whether headquarters has commented on it, so that its text must be erased there too."""
    unreached: bool = False
    """Whether an SMS about it finally failed, and the applicant has given no other mobile since then."""
    first_answer_days: int | None = None
    objections: int = 0
    ratings: int = 0
    rating_sum: int = 0
    counted: bool = False

    @property
    def has_changeable_contact(self) -> bool:
        """Whether the applicant may give another mobile."""
        return self.state not in WITHOUT_MESSAGES

    def change_state(self, state: State, by: Party, *, at: datetime, report_seq: int | None = None) -> Self:
        """Return the case in ``state``, caused by a party in its report ``report_seq``, if it has one.

        Raises IllegalTransitionError.
        """
        if not is_allowed(by, self.state, state):
            raise IllegalTransitionError(self.state, state)
        return replace(self, state=state, since=at, report_seq=self.report_seq if report_seq is None else report_seq)

    def apply_identity_check(self, state: State, *, at: datetime, seq: int) -> Self:
        """Return the case in the state that intake's event number ``seq`` causes. Raises IllegalTransitionError."""
        return replace(self.change_state(state, Party.INTAKE, at=at), seq=max(self.seq, seq))

    def refer_to(self, office: str, *, at: datetime, report_seq: int, other_subject: bool = False) -> Self:
        """Return the case registered with another office, or under another subject in the same one.

        The same office continues the numbers of its reports. Raises IllegalTransitionError or SameProvinceError.
        """
        if office == self.province and not other_subject:
            raise SameProvinceError
        referred = self.change_state(State.REFERRED, Party.PROVINCE, at=at, report_seq=report_seq)
        if office == self.province:
            return referred.change_state(State.REGISTERED, Party.DESK, at=at)
        return referred.change_state(State.REGISTERED, Party.DESK, at=at).with_office(office, report_seq=0)

    def take_over(self, *, at: datetime, report_seq: int) -> Self:
        """Return the case registered with headquarters, by its own report ``report_seq``.

        Raises IllegalTransitionError, or SameProvinceError if headquarters has it already.
        """
        if self.province == HEADQUARTERS.key:
            raise SameProvinceError
        taken = self.change_state(State.REFERRED, Party.PROVINCE, at=at)
        registered = taken.change_state(State.REGISTERED, Party.DESK, at=at)
        return registered.with_office(HEADQUARTERS.key, report_seq=report_seq)

    def with_office(self, office: str, *, report_seq: int) -> Self:
        """Return the case with another office, whose reports so far have the highest number ``report_seq``."""
        return replace(self, province=office, turn=self.turn + 1, report_seq=report_seq)

    def with_deadlines(self, before: "Case", terms: Terms) -> Self:
        """Return the case with its due date and next deadline after a transition from ``before``.

        The office's period stops while the applicant is asked: each working day of it shifts the due date by one.
        An objection starts a new period. A late case that gets another office may start a period of that office.
        """
        days = self.answer_days or max(1, terms.calendar.count(day_of(self.submitted_at), day_of(self.due_at)))
        case = replace(self, answer_days=days)
        if before.state in _PAUSED and self.since != before.since:
            paused = terms.calendar.count(day_of(before.since), day_of(self.since))
            if paused:
                case = case.postponed(paused, terms.calendar)
        if self.state is State.OBJECTED and before.state is not State.OBJECTED:
            due_at = _later(self.since, days, terms.calendar)
            case = replace(case, due_at=due_at, office_due_at=None, overdue=0, objections=case.objections + 1)
        if case.starts_period_of_office(before):
            case = replace(case, office_due_at=_later(self.since, days, terms.calendar), overdue=0)
        if self.state is State.ANSWERED and case.first_answer_days is None:
            answered_after = terms.calendar.count(day_of(self.submitted_at), day_of(self.since))
            case = replace(case, first_answer_days=answered_after)
        return replace(case, alarm_at=case.next_deadline(terms))

    def postponed(self, days: int, calendar: WorkCalendar) -> Self:
        """Return the case with its due dates so many working days later."""
        office_due_at = self.office_due_at and _later(self.office_due_at, days, calendar)
        return replace(self, due_at=_later(self.due_at, days, calendar), office_due_at=office_due_at)

    def starts_period_of_office(self, before: "Case") -> bool:
        """Return whether the case came to another office that gets a period of its own: the promised day is over.

        A province that refers a case before headquarters has been notified does not postpone that notice.
        """
        if self.province == before.province or self.since <= self.due_at:
            return False
        return before.overdue >= HEADQUARTERS_NOTIFIED or HEADQUARTERS.key in {self.province, before.province}

    def next_deadline(self, terms: Terms) -> datetime | None:
        """Return when the present period ends; None if no period runs."""
        if self.state in _ENDING:
            return self.objection_until(terms.objection_days) + timedelta(seconds=1)
        if self.state is State.INFO_REQUESTED:
            return self._next_of_question(terms)
        if self.state not in _RUNNING or self.overdue >= HEADQUARTERS_NOTIFIED:
            return None
        if self.overdue < PROVINCE_NOTIFIED:
            return self.office_due_at or self.due_at
        return _later(self.office_due_at or self.due_at, self.answer_days or 1, terms.calendar)

    def expire(self, terms: Terms, *, at: datetime) -> Self:
        """Return the case after its deadline.

        It is closed if it is decided, or if the applicant was asked; before that the applicant is reminded. Otherwise
        it is one level more overdue.
        """
        return self._expired(at).with_deadlines(self, terms)

    def _expired(self, at: datetime) -> Self:
        if self.state in _ENDING:
            return self.change_state(State.CLOSED, Party.DESK, at=at)
        if self.state is not State.INFO_REQUESTED:
            return replace(self, overdue=self.overdue + 1)
        if self.question_until is not None and at > self.question_until:
            return self.change_state(State.UNANSWERED, Party.DESK, at=at)
        return replace(self, reminded=True)

    def asked(self, days: int | None, terms: Terms) -> Self:
        """Return the case after a question that the applicant has so many working days to answer."""
        until = _later(self.since, days or terms.question_days, terms.calendar)
        return replace(self, question_until=until, reminded=False)

    def _next_of_question(self, terms: Terms) -> datetime | None:
        """Return when the applicant is reminded, two working days before the end or the day before; then the end."""
        if self.question_until is None:
            return None
        end = self.question_until + timedelta(seconds=1)
        days = terms.calendar.count(day_of(self.since), day_of(self.question_until))
        if self.reminded or days == 1:
            return end
        return _later(self.since, max(1, days - 2), terms.calendar)

    def erase(self, *, at: datetime) -> Self:
        """Return the case without its data, figures and deadlines.

        Raises IllegalTransitionError if it is erased already.
        """
        erased = self.change_state(State.ERASED, Party.DESK, at=at)
        without = replace(erased, first_answer_days=None, objections=0, ratings=0, rating_sum=0)
        return replace(without, alarm_at=None, office_due_at=None, question_until=None, counted=True)

    def with_rating(self, rating: int) -> Self:
        """Return the case with one more rating of an answer."""
        return replace(self, ratings=self.ratings + 1, rating_sum=self.rating_sum + rating)

    def with_next_seq(self) -> Self:
        """Return the case with the number of its next published event."""
        return replace(self, seq=self.seq + 1)

    def apply_action(self, action: Action, past: HistorySummary, *, at: datetime, objection_days: int) -> Self:
        """Return the case after an action of its applicant.

        Raises ActionNotPossibleError, AlreadyRatedError, AlreadyObjectedError or ObjectionTooLateError.
        """
        rule = ACTIONS[action]
        if self.state not in rule.possible_in:
            raise ActionNotPossibleError
        if action is Action.RATE:
            if not past.answered:
                raise ActionNotPossibleError
            if past.rated:
                raise AlreadyRatedError
        if self.state is State.UNANSWERED and at > self.objection_until(objection_days):
            raise ActionNotPossibleError
        if action is Action.OBJECT:
            return self._object(past, at=at, objection_days=objection_days)
        return self if rule.leads_to is None else self.change_state(rule.leads_to, Party.APPLICANT, at=at)

    def _object(self, past: HistorySummary, *, at: datetime, objection_days: int) -> Self:
        """Return the case after an objection: the second one, against another answer, is for headquarters."""
        if past.objections >= (1 if self.province == HEADQUARTERS.key else OBJECTIONS_MAX):
            raise AlreadyObjectedError
        if at > self.objection_until(objection_days):
            raise ObjectionTooLateError
        objected = self.change_state(State.OBJECTED, Party.APPLICANT, at=at)
        return objected.with_office(HEADQUARTERS.key, report_seq=0) if past.objections else objected

    def possible_actions(self, past: HistorySummary, *, at: datetime, objection_days: int) -> list[Action]:
        """List the actions that are possible for the applicant now."""
        return [action for action in Action if self._allows(action, past, at, objection_days)]

    def _allows(self, action: Action, past: HistorySummary, at: datetime, objection_days: int) -> bool:
        try:
            self.apply_action(action, past, at=at, objection_days=objection_days)
        except DomainError:
            return False
        return True

    def objection_until(self, days: int) -> datetime:
        """Return the last moment of an objection: the end, in Tehran, of the last of so many days."""
        return WorkCalendar.end_of_day(day_of(self.since) + timedelta(days=days))


def _later(at: datetime, days: int, calendar: WorkCalendar) -> datetime:
    """Return the end of the n-th working day after the day of ``at``, both in Tehran."""
    return calendar.end_of_day(calendar.add(day_of(at), days))
