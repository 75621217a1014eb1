"""The states of a request, the applicant's actions, and the one table of transitions between states."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The state of a request."""

    IDENTITY_PENDING = "identity_pending"
    IDENTITY_REJECTED = "identity_rejected"
    REGISTERED = "registered"
    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    INFO_REQUESTED = "info_requested"
    UNANSWERED = "unanswered"
    """The applicant has not answered a question in time; an answer opens the case again for a while."""
    ANSWERED = "answered"
    OBJECTED = "objected"
    REJECTED = "rejected"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    ERASED = "erased"


TITLES: Mapping[State, str] = {
    State.IDENTITY_PENDING: "در انتظار تأیید هویت",
    State.IDENTITY_REJECTED: "هویت تأیید نشد",
    State.REGISTERED: "ثبت شد",
    State.RECEIVED: "به دست کارشناسان رسید",
    State.IN_PROGRESS: "در حال بررسی",
    State.INFO_REQUESTED: "نیازمند توضیح شما",
    State.UNANSWERED: "بدون توضیح شما بسته شد",
    State.ANSWERED: "پاسخ داده شد",
    State.OBJECTED: "در حال بررسی دوباره",
    State.REJECTED: "رد شد",
    State.REFERRED: "ارجاع شد",
    State.WITHDRAWN: "پس گرفته شد",
    State.CLOSED: "بسته شد",
    State.ERASED: "پاک شد",
}


class Party(StrEnum):
    """Who may change the state of a case."""

    INTAKE = "intake"
    PROVINCE = "province"
    APPLICANT = "applicant"
    DESK = "desk"


class Action(StrEnum):
    """What an applicant may do with a request."""

    REPLY = "reply"
    WITHDRAW = "withdraw"
    RATE = "rate"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class ActionRule:
    """The states in which an action is possible, and the one it leads to; None leaves the state as it is."""

    title: str
    """What the applicant reads in the history."""
    possible_in: frozenset[State]
    leads_to: State | None = None

    def after(self, state: State) -> State:
        """Return the state after the action in ``state``."""
        return self.leads_to or state


ACTIONS: Mapping[Action, ActionRule] = {
    Action.REPLY: ActionRule(
        "توضیح شما فرستاده شد", frozenset({State.INFO_REQUESTED, State.UNANSWERED}), State.IN_PROGRESS
    ),
    Action.WITHDRAW: ActionRule(
        "درخواست را پس گرفتید",
        frozenset({State.IDENTITY_PENDING, State.REGISTERED, State.RECEIVED, State.IN_PROGRESS, State.INFO_REQUESTED}),
        State.WITHDRAWN,
    ),
    Action.RATE: ActionRule("ارزیابی شما ثبت شد", frozenset({State.ANSWERED, State.CLOSED})),
    Action.OBJECT: ActionRule("اعتراض شما ثبت شد", frozenset({State.ANSWERED, State.REJECTED}), State.OBJECTED),
}
"""What each action needs and does. :class:`Case` has the further rules of some."""

OPENED_TITLE = "کارشناس پروندهٔ شما را باز کرد"
"""The title of a history entry about the reading of a case, which changes no state."""

CONTACT_TITLE = "شمارهٔ تلفن همراه درخواست تغییر کرد"
"""The title of a history entry about a new mobile, which changes no state."""

_BY_EXPERTS = frozenset({State.IN_PROGRESS, State.INFO_REQUESTED, State.ANSWERED, State.REJECTED, State.REFERRED})
DECISIONS = frozenset({State.ANSWERED, State.REJECTED, State.REFERRED})
"""The states by which an office ends its work on a case, for the time being."""
REPORTED = DECISIONS | {State.RECEIVED, State.IN_PROGRESS, State.INFO_REQUESTED}
"""The states that reports of offices lead to."""
_END = frozenset({State.CLOSED})
_ERASURE = frozenset({State.ERASED})
"""The desk may erase a case in every state: after its term, or on demand."""

_BY_OTHERS: Mapping[State, Mapping[Party, frozenset[State]]] = {
    State.IDENTITY_PENDING: {
        Party.INTAKE: frozenset({State.REGISTERED, State.IDENTITY_REJECTED}),
        Party.DESK: _ERASURE,
    },
    # Reports may overtake one another: an answer may arrive before the report that the case was received.
    State.REGISTERED: {Party.PROVINCE: _BY_EXPERTS | {State.RECEIVED}, Party.DESK: _ERASURE},
    State.RECEIVED: {Party.PROVINCE: _BY_EXPERTS, Party.DESK: _ERASURE},
    State.IN_PROGRESS: {Party.PROVINCE: _BY_EXPERTS, Party.DESK: _ERASURE},
    State.INFO_REQUESTED: {Party.PROVINCE: _BY_EXPERTS, Party.DESK: frozenset({State.UNANSWERED}) | _ERASURE},
    # An answer that the office sent before the question's end may arrive after it.
    State.UNANSWERED: {Party.PROVINCE: frozenset({State.ANSWERED, State.REJECTED}), Party.DESK: _END | _ERASURE},
    State.OBJECTED: {Party.PROVINCE: _BY_EXPERTS, Party.DESK: _ERASURE},
    State.ANSWERED: {Party.DESK: _END | _ERASURE},
    State.REJECTED: {Party.DESK: _END | _ERASURE},
    State.CLOSED: {Party.DESK: _ERASURE},
    State.REFERRED: {Party.DESK: frozenset({State.REGISTERED}) | _ERASURE},
    State.IDENTITY_REJECTED: {Party.DESK: _ERASURE},
    State.WITHDRAWN: {Party.DESK: _ERASURE},
    State.ERASED: {},
}


def _by_applicant(state: State) -> frozenset[State]:
    return frozenset(rule.after(state) for rule in ACTIONS.values() if state in rule.possible_in)


TRANSITIONS: Mapping[State, Mapping[Party, frozenset[State]]] = {
    state: {**others, Party.APPLICANT: _by_applicant(state)} for state, others in _BY_OTHERS.items()
}
"""The transitions that each party may cause, by the present state. An action may leave the state as it is."""


SETTLED = (State.CLOSED, State.WITHDRAWN)
"""The states that are left by an erasure only, of cases that an office has received."""
OPEN = (
    State.REGISTERED,
    State.RECEIVED,
    State.IN_PROGRESS,
    State.INFO_REQUESTED,
    State.OBJECTED,
    State.REFERRED,
)
"""The states in which an office, or its applicant, has yet to act."""
BEFORE_ANY_OFFICE = (State.IDENTITY_PENDING, State.IDENTITY_REJECTED)
WITHOUT_MESSAGES = (*BEFORE_ANY_OFFICE, State.WITHDRAWN, State.ERASED)
"""The states in which the mobile is not changed: no office has the request, or no message about it follows.

A pending request is released with the mobile that intake has, which its applicant has proven.
"""


def is_allowed(party: Party, present: State, wanted: State) -> bool:
    """Return whether a party may cause the transition from one state to another."""
    return wanted in TRANSITIONS[present].get(party, frozenset())


class RejectionReason(StrEnum):
    """Why the civil registry does not confirm an applicant's identity."""

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
"""What the applicant reads: the reason, and what to do next."""
