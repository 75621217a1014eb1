"""The life of a message: what it is, which state may follow which, and when to try again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self


class State(StrEnum):
    """Where a message is on its way."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    FAILED = "failed"
    OVERTAKEN = "overtaken"
    """It was still to go when its request moved on, and would tell nothing any more."""


NEXT: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.CLAIMED, State.FAILED, State.OVERTAKEN}),
    # claimed → claimed: whoever had claimed it is gone, and another takes over.
    State.CLAIMED: frozenset({State.CLAIMED, State.QUEUED, State.HANDED_OVER, State.FAILED}),
    # handed over → queued: the provider that took it knows nothing of it any more.
    State.HANDED_OVER: frozenset({State.DELIVERED, State.FAILED, State.QUEUED}),
    State.DELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.OVERTAKEN: frozenset(),
}


def states_before(state: State) -> frozenset[State]:
    """Return the states that ``state`` may follow."""
    return frozenset(before for before, after in NEXT.items() if state in after)


class Trouble(StrEnum):
    """Why a message was not taken. A closed list: a provider's own words may repeat the number or the text."""

    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    ACCOUNT = "account"
    """Our account at the provider: its key, its credit, what it may do."""
    BAD_RECIPIENT = "bad_recipient"
    BAD_TEXT = "bad_text"
    UNEXPECTED = "unexpected"
    NOT_DELIVERED = "not_delivered"
    """The provider took it and reports that the recipient never got it."""
    NO_REPORT = "no_report"


class Delivery(StrEnum):
    """What a provider says became of a message it took."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It says that it has no such message; one whose fate was merely not told is left out of what it says."""


LEASE = timedelta(minutes=2)
"""How long a claim holds; a message found claimed for longer was left behind by a crash."""

MOST_TRIES = 48
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=30)
DOUBT_SETTLES = timedelta(minutes=1)
"""A provider asked sooner might not have listed yet what it has taken."""


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
    wording: str = ""
    """The file its words are from, such as ``fa/submitted.sms.v1``."""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What fills those words, for a provider that keeps them."""
    provider: str | None = None
    """The provider that was chosen for it, for a channel that has several."""
    in_doubt: bool = False
    """True if an earlier try may have handed it to that provider."""
    known: frozenset[str] = frozenset()
    """If so, that provider's ids of other messages to the recipient: they are not this one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to."""

    state: State
    trouble: Trouble | None = None
    provider_reference: str | None = None
    wait: timedelta = timedelta()
    in_doubt: bool = False
    """The provider may have it: no other may be tried, and it is asked before it is tried again."""

    @classmethod
    def handed_over(cls, provider_reference: str) -> Self:
        """The provider has it; what became of it is asked after a while."""
        return cls(State.HANDED_OVER, provider_reference=provider_reference, wait=FIRST_QUESTION)

    @classmethod
    def refused(cls, trouble: Trouble) -> Self:
        """The provider will never take it."""
        return cls(State.FAILED, trouble)

    @classmethod
    def put_off(cls, tries: int, trouble: Trouble, *, in_doubt: bool = False) -> Self:
        """It may be taken later, unless this was the last of ``MOST_TRIES`` tries; a doubt is left time to settle."""
        if tries >= MOST_TRIES:
            return cls(State.FAILED, trouble)
        wait = max(wait_after(tries), DOUBT_SETTLES) if in_doubt else wait_after(tries)
        return cls(State.QUEUED, trouble, wait=wait, in_doubt=in_doubt)

    @property
    def blames_provider(self) -> bool:
        """True unless it was taken, or refused for what is wrong with the message itself."""
        return self.state is not State.HANDED_OVER and self.trouble not in {Trouble.BAD_RECIPIENT, Trouble.BAD_TEXT}


REDRIVEN_AFTER = timedelta(hours=1)
"""A message handed over that long ago, which its provider then denies, is handed over again."""
FIRST_QUESTION = timedelta(seconds=30)
GIVEN_UP_AFTER = timedelta(hours=72)
"""A provider that has not said by then what became of a message never will."""


def question_after(age: timedelta) -> timedelta:
    """How long to wait with the next question about a message handed over ``age`` ago."""
    if age < timedelta(minutes=10):
        return timedelta(minutes=1)
    return timedelta(minutes=5) if age < timedelta(hours=1) else timedelta(minutes=30)
