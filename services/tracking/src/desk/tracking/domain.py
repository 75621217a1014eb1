"""The life of a case: who may lead it from which state to which."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from desk.chassis.problem import DomainError
from desk.iran.jalali import in_tehran
from desk.iran.workdays import WorkCalendar


class State(StrEnum):
    """Where a request stands."""

    IDENTITY_PENDING = "identity_pending"
    IDENTITY_REJECTED = "identity_rejected"
    REGISTERED = "registered"
    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    INFO_REQUESTED = "info_requested"
    ANSWERED = "answered"
    OBJECTED = "objected"
    REJECTED = "rejected"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


TITLES: Mapping[State, str] = {
    State.IDENTITY_PENDING: "در انتظار تأیید هویت",
    State.IDENTITY_REJECTED: "هویت تأیید نشد",
    State.REGISTERED: "ثبت شد",
    State.RECEIVED: "به دست کارشناسان رسید",
    State.IN_PROGRESS: "در حال بررسی",
    State.INFO_REQUESTED: "نیازمند توضیح شما",
    State.ANSWERED: "پاسخ داده شد",
    State.OBJECTED: "در حال بررسی دوباره",
    State.REJECTED: "رد شد",
    State.REFERRED: "به استان دیگر ارجاع شد",
    State.WITHDRAWN: "پس گرفته شد",
    State.CLOSED: "بسته شد",
}


class Party(StrEnum):
    """Who may move a case on."""

    INTAKE = "intake"
    PROVINCE = "province"
    APPLICANT = "applicant"
    DESK = "desk"


class Action(StrEnum):
    """What an applicant may do about a request."""

    REPLY = "reply"
    WITHDRAW = "withdraw"
    RATE = "rate"
    OBJECT = "object"


LEADS_TO: Mapping[Action, State | None] = {
    Action.REPLY: State.IN_PROGRESS,
    Action.WITHDRAW: State.WITHDRAWN,
    Action.RATE: None,
    Action.OBJECT: State.OBJECTED,
}
"""The state each action leads to; None leaves the case where it is."""

ACTION_TITLES: Mapping[Action, str] = {
    Action.REPLY: "توضیح شما فرستاده شد",
    Action.WITHDRAW: "درخواست را پس گرفتید",
    Action.RATE: "ارزیابی شما ثبت شد",
    Action.OBJECT: "اعتراض شما ثبت شد",
}

_BY_EXPERTS = frozenset({State.IN_PROGRESS, State.INFO_REQUESTED, State.ANSWERED, State.REJECTED, State.REFERRED})
_WITHDRAWAL = frozenset({State.WITHDRAWN})
_END = frozenset({State.CLOSED})

MOVES: Mapping[State, Mapping[Party, frozenset[State]]] = {
    State.IDENTITY_PENDING: {
        Party.INTAKE: frozenset({State.REGISTERED, State.IDENTITY_REJECTED}),
        Party.APPLICANT: _WITHDRAWAL,
    },
    # Reports may overtake one another: an answer may come before the word that the case was received.
    State.REGISTERED: {Party.PROVINCE: _BY_EXPERTS | {State.RECEIVED}, Party.APPLICANT: _WITHDRAWAL},
    State.RECEIVED: {Party.PROVINCE: _BY_EXPERTS, Party.APPLICANT: _WITHDRAWAL},
    State.IN_PROGRESS: {Party.PROVINCE: _BY_EXPERTS, Party.APPLICANT: _WITHDRAWAL},
    State.INFO_REQUESTED: {Party.PROVINCE: _BY_EXPERTS, Party.APPLICANT: _WITHDRAWAL | {State.IN_PROGRESS}},
    State.OBJECTED: {Party.PROVINCE: _BY_EXPERTS},
    # A state that may follow itself is one in which the applicant may rate.
    State.ANSWERED: {Party.APPLICANT: frozenset({State.OBJECTED, State.ANSWERED}), Party.DESK: _END},
    State.REJECTED: {Party.APPLICANT: frozenset({State.OBJECTED}), Party.DESK: _END},
    State.CLOSED: {Party.APPLICANT: frozenset({State.CLOSED})},
    State.REFERRED: {Party.DESK: frozenset({State.REGISTERED})},
    State.IDENTITY_REJECTED: {},
    State.WITHDRAWN: {},
}
"""The one place that knows who may lead a case from which state to which."""


def may(party: Party, present: State, wanted: State) -> bool:
    """Tell whether a party may lead a case from one state to another."""
    return wanted in MOVES[present].get(party, frozenset())


class RejectionReason(StrEnum):
    """Why the civil registry does not vouch for an applicant."""

    NOT_MATCHED = "not_matched"
    DECEASED = "deceased"
    REFERRED = "referred"


REJECTIONS: Mapping[RejectionReason, str] = {
    RejectionReason.NOT_MATCHED: (
        "کد ملی و تاریخ تولد در ثبت احوال با هم نمی‌خوانند. "
        "لطفاً هر دو را از روی کارت ملی یا شناسنامه بخوانید و درخواست تازه‌ای بفرستید."
    ),
    RejectionReason.DECEASED: (
        "برای این کد ملی در ثبت احوال وفات ثبت شده است. برای پیگیری امور زائر درگذشته به ادارهٔ حج و زیارت استان خود، "
        "و اگر این ثبت نادرست است به ادارهٔ ثبت احوال مراجعه کنید."
    ),
    RejectionReason.REFERRED: (
        "ثبت احوال برای این کد ملی مراجعهٔ حضوری می‌خواهد. "
        "لطفاً به ادارهٔ ثبت احوال مراجعه کنید و پس از آن درخواست تازه‌ای بفرستید."
    ),
}
"""What the applicant is told, and what to do next."""


class RequestNotFoundError(DomainError):
    """No request has this national ID and tracking code together; which of the two is wrong is not said."""

    status, code = 404, "request_not_found"
    title = "درخواستی با این کد ملی و کد رهگیری پیدا نشد. لطفاً هر دو را بررسی کنید."


class CaptchaWrongError(DomainError):
    """The security code was mistyped; the same challenge may be tried again."""

    code, field = "captcha_wrong", "captcha.answer"
    title = "کد امنیتی درست نیست. لطفاً کد را دوباره وارد کنید."


class CaptchaExpiredError(DomainError):
    """The challenge is used up, too old or unknown."""

    code, field = "captcha_expired", "captcha.answer"
    title = "زمان کد امنیتی تمام شده است. لطفاً کد تازه را وارد کنید."


class TrackingTokenMissingError(DomainError):
    """No tracking token came along."""

    status, code = 401, "tracking_token_missing"
    title = "ابتدا درخواست خود را با کد ملی و کد رهگیری پیدا کنید."


class TrackingTokenInvalidError(DomainError):
    """The tracking token is forged, or for something else."""

    status, code = 401, "tracking_token_invalid"
    title = "این صفحه دیگر معتبر نیست. لطفاً درخواست خود را دوباره پیگیری کنید."


class TrackingTokenExpiredError(DomainError):
    """The tracking token's time is over."""

    status, code = 401, "tracking_token_expired"
    title = "زمان این صفحه به پایان رسیده است. لطفاً درخواست خود را دوباره پیگیری کنید."


class IdempotencyKeyMissingError(DomainError):
    """A move without a usable Idempotency-Key could be made twice by accident."""

    status, code = 400, "idempotency_key_missing"
    title = "سرآیند Idempotency-Key لازم است: ۸ تا ۶۴ حرف، رقم یا خط تیره."


class IdempotencyKeyReusedError(DomainError):
    """The key was used for the same kind of move with other words."""

    status, code = 422, "idempotency_key_reused"
    title = "این مورد پیش‌تر با محتوای دیگری فرستاده شده است. لطفاً درخواست خود را دوباره پیگیری کنید."


class ActionNotPossibleError(DomainError):
    """The state of the request does not allow the action, or does not any more."""

    status, code = 409, "action_not_possible"
    title = "وضعیت درخواست تغییر کرده است و این کار دیگر ممکن نیست. لطفاً درخواست خود را دوباره پیگیری کنید."


class AlreadyObjectedError(DomainError):
    """An applicant may object once."""

    status, code = 409, "already_objected"
    title = "به این درخواست یک بار اعتراض کرده‌اید و اعتراض دوباره ممکن نیست."


class ObjectionTooLateError(DomainError):
    """The time in which an applicant may object is over."""

    status, code = 409, "objection_too_late"
    title = "مهلت اعتراض به این درخواست به پایان رسیده است. می‌توانید درخواست تازه‌ای بفرستید."


class AlreadyRatedError(DomainError):
    """An answer is rated once."""

    status, code = 409, "already_rated"
    title = "این پاسخ را پیش‌تر ارزیابی کرده‌اید."


class RefusedError(Exception):
    """A report that does not fit; ``reason`` is the stable code the province is told."""

    def __init__(self, reason: str, explanation: str) -> None:
        super().__init__(explanation)
        self.reason = reason


class IllegalMoveError(RefusedError):
    """The state a report leads to cannot follow the present one."""

    def __init__(self, present: State, wanted: State) -> None:
        super().__init__("illegal_move", f"{present} cannot become {wanted}")


class ForeignCaseError(RefusedError):
    """The case is not this province's, or not any more."""

    def __init__(self) -> None:
        super().__init__("foreign_case", "this case belongs to another province")


class ForgedSenderError(RefusedError):
    """Source, broker user and routing key do not name the same province."""

    def __init__(self) -> None:
        super().__init__("forged_sender", "source, user and routing key must name the same province")


class CaseUnknownError(Exception):
    """A report on a case tracking has not heard of yet, or not that its applicant is known.

    That may well come in a moment, so the report is retried.
    """


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

    def refer_to(self, province: str, *, at: datetime, report_seq: int) -> Self:
        """Hand the case to another province, where it begins anew. Raises IllegalMoveError or RefusedError."""
        if province == self.province:
            raise RefusedError("same_province", "a case cannot be referred to the province it is in")
        referred = self.move_to(State.REFERRED, Party.PROVINCE, at=at, report_seq=report_seq)
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
