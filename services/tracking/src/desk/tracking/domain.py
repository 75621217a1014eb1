"""The life of a case: which state may follow which, and what a province may report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from desk.chassis.problem import DomainError


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

_OPEN = frozenset(
    {
        State.IN_PROGRESS,
        State.INFO_REQUESTED,
        State.ANSWERED,
        State.REJECTED,
        State.REFERRED,
        State.WITHDRAWN,
    }
)

NEXT: Mapping[State, frozenset[State]] = {
    State.IDENTITY_PENDING: frozenset({State.REGISTERED, State.IDENTITY_REJECTED, State.WITHDRAWN}),
    # Reports may overtake one another: an answer may come before the word that the case was received.
    State.REGISTERED: _OPEN | {State.RECEIVED},
    State.RECEIVED: _OPEN,
    State.IN_PROGRESS: _OPEN,
    State.INFO_REQUESTED: _OPEN,
    State.OBJECTED: _OPEN - {State.WITHDRAWN},
    State.ANSWERED: frozenset({State.OBJECTED, State.CLOSED}),
    State.REJECTED: frozenset({State.CLOSED}),
    State.REFERRED: frozenset({State.REGISTERED}),
    State.IDENTITY_REJECTED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.CLOSED: frozenset(),
}
"""The one place that knows which state may follow which."""


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


@dataclass(frozen=True, slots=True)
class Case:
    """A request in the hands of a province.

    ``seq`` counts what was announced of it; ``report_seq`` is the highest number among the present province's reports
    that were applied, so that a report which was overtaken changes nothing any more. ``turn`` counts the referrals:
    each province in turn numbers its reports from one.
    """

    tracking_code: str
    province: str
    state: State
    seq: int
    report_seq: int
    submitted_at: datetime
    due_at: datetime
    turn: int = 0

    def move_to(self, state: State, *, report_seq: int) -> Self:
        """Follow a report to ``state``. Raises IllegalMoveError."""
        if state not in NEXT[self.state]:
            raise IllegalMoveError(self.state, state)
        return replace(self, state=state, report_seq=report_seq)

    def hear_of_identity(self, state: State, *, seq: int) -> Self:
        """Follow what intake has learnt of the applicant, in its event number ``seq``. Raises IllegalMoveError."""
        return replace(self.move_to(state, report_seq=self.report_seq), seq=max(self.seq, seq))

    def refer_to(self, province: str, *, report_seq: int) -> Self:
        """Hand the case to another province, where it begins anew. Raises IllegalMoveError or RefusedError."""
        if province == self.province:
            raise RefusedError("same_province", "a case cannot be referred to the province it is in")
        referred = self.move_to(State.REFERRED, report_seq=report_seq)
        begun_anew = referred.move_to(State.REGISTERED, report_seq=0)
        return replace(begun_anew, province=province, turn=self.turn + 1)

    def announced(self) -> Self:
        """Count one more announcement."""
        return replace(self, seq=self.seq + 1)
