"""The life of a message: what it is, which state may follow which, and when to try again."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self


class ChannelName(StrEnum):
    """The ways a message can go."""

    SMS = "sms"
    EMAIL = "email"


class Template(StrEnum):
    """The occasions on which an applicant is told something."""

    SUBMITTED = "submitted"
    PENDING = "pending"
    IDENTITY_REJECTED = "identity_rejected"
    ANSWERED = "answered"


class State(StrEnum):
    """Where a message is on its way."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    FAILED = "failed"


NEXT: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.CLAIMED}),
    # claimed → claimed: whoever had claimed it is gone, and another takes over.
    State.CLAIMED: frozenset({State.CLAIMED, State.QUEUED, State.HANDED_OVER, State.FAILED}),
    State.HANDED_OVER: frozenset({State.DELIVERED, State.FAILED}),
    State.DELIVERED: frozenset(),
    State.FAILED: frozenset(),
}


def states_before(state: State) -> frozenset[State]:
    """Return the states that ``state`` may follow."""
    return frozenset(before for before, after in NEXT.items() if state in after)


class Trouble(StrEnum):
    """Why a message was not taken. A closed list: a provider's own words may repeat the number or the text."""

    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    BAD_RECIPIENT = "bad_recipient"
    BAD_TEXT = "bad_text"
    UNEXPECTED = "unexpected"


LEASE = timedelta(minutes=2)
"""How long a claim holds; a message found claimed for longer was left behind by a crash."""

MOST_TRIES = 48
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=30)


def wait_after(tries: int) -> timedelta:
    """How long to wait after the given number of tries: 5 s, then twice as long each time, at most 30 minutes."""
    doublings = min(tries - 1, 20)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message as a channel gets it. ``reference`` is the same in every try, so that a provider knows a repeat."""

    reference: str
    recipient: str = field(repr=False)
    """A mobile number in E.164, or an email address."""
    text: str = field(repr=False)
    subject: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to."""

    state: State
    trouble: Trouble | None = None
    provider_reference: str | None = None
    wait: timedelta = timedelta()

    @classmethod
    def handed_over(cls, provider_reference: str) -> Self:
        """The provider has it."""
        return cls(State.HANDED_OVER, provider_reference=provider_reference)

    @classmethod
    def refused(cls, trouble: Trouble) -> Self:
        """The provider will never take it."""
        return cls(State.FAILED, trouble)

    @classmethod
    def put_off(cls, tries: int, trouble: Trouble) -> Self:
        """It may be taken later, unless this was the last of ``MOST_TRIES`` tries."""
        if tries >= MOST_TRIES:
            return cls(State.FAILED, trouble)
        return cls(State.QUEUED, trouble, wait=wait_after(tries))


def sms_segments(text: str) -> int:
    """Count the parts of a Persian SMS: 70 characters (UTF-16 units) alone, 67 in each part when joined."""
    units = len(text.encode("utf-16-be")) // 2
    return 1 if units <= 70 else -(-units // 67)  # noqa: PLR2004 - GSM 03.40 with UCS-2
