"""The states of a message, the result of an attempt to send it, and the delays between attempts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self


class State(StrEnum):
    """The state of a message."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    FAILED = "failed"
    OVERTAKEN = "overtaken"
    """The request got a newer state before the first attempt, so the notice is out of date."""
    CANCELLED = "cancelled"
    """The data of its request was erased before a provider accepted the message."""
    SKIPPED = "skipped"
    """The channel does not reach the recipient, so no attempt is made; ``last_error`` says why."""


TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.CLAIMED, State.FAILED, State.OVERTAKEN, State.CANCELLED}),
    # claimed → claimed: the lease expired, and another dispatcher takes over.
    State.CLAIMED: frozenset(
        {State.CLAIMED, State.QUEUED, State.HANDED_OVER, State.DELIVERED, State.FAILED, State.CANCELLED}
    ),
    # handed over → queued: the provider that accepted it no longer has it.
    State.HANDED_OVER: frozenset({State.DELIVERED, State.FAILED, State.QUEUED}),
    State.DELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.OVERTAKEN: frozenset(),
    State.CANCELLED: frozenset(),
    State.SKIPPED: frozenset(),
}


def states_before(state: State) -> frozenset[State]:
    """Return the states from which a message may change to ``state``."""
    return frozenset(before for before, after in TRANSITIONS.items() if state in after)


class Trouble(StrEnum):
    """Why a message was not accepted. A closed list: a provider's own text may repeat the number or the message."""

    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    ACCOUNT = "account"
    """Our account at the provider: its key, its credit, its permissions."""
    BAD_RECIPIENT = "bad_recipient"
    BAD_TEXT = "bad_text"
    UNEXPECTED = "unexpected"
    NOT_DELIVERED = "not_delivered"
    """The provider accepted the message and reports that it did not reach the recipient."""
    NO_REPORT = "no_report"
    EXPIRED = "expired"
    """The code in the message expired before a provider accepted it."""
    FOREIGN_NUMBER = "foreign_number"
    """The SMS providers do not reach mobile numbers of other countries."""


class Delivery(StrEnum):
    """What a provider reports about a message that it accepted."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The provider states that it has no such message. A message without a report is left out instead."""


LEASE = timedelta(minutes=2)
"""How long a claim is valid; after that, the dispatcher that made it has crashed."""

MAX_ATTEMPTS = 48
FIRST_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(seconds=5), timedelta(minutes=30)
AMBIGUOUS_RETRY_DELAY = timedelta(minutes=1)
"""The shortest delay after an ambiguous result: earlier, the provider might not list a message that it accepted."""


def retry_delay(attempts: int) -> timedelta:
    """Return the delay after the given number of attempts: 5 s, then twice as long each time, at most 30 minutes."""
    doublings = min(attempts - 1, 20)
    return min(FIRST_RETRY_DELAY * (1 << doublings), MAX_RETRY_DELAY)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message for a channel. ``reference`` is the same in every attempt, so that a provider detects a repeat."""

    reference: str
    recipient: str = field(repr=False)
    """A mobile number in E.164, or an email address."""
    text: str = field(repr=False)
    subject: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)
    wording: str = ""
    """The template file of the text, such as ``fa/submitted.sms.v1``."""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The values of the template's placeholders, for a provider that stores the template."""
    provider: str | None = None
    """The chosen provider, for a channel that has several."""
    ambiguous: bool = False
    """Whether an earlier attempt may have reached that provider."""
    other_references: frozenset[str] = frozenset()
    """That provider's ids of other messages to the same recipient, if this one is ambiguous."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt."""

    state: State
    trouble: Trouble | None = None
    provider_reference: str | None = None
    wait: timedelta = timedelta()
    ambiguous: bool = False
    """Whether the provider may have the message: it is asked before the next attempt, and no other is used."""

    @classmethod
    def handed_over(cls, provider_reference: str) -> Self:
        """The provider accepted the message; the first poll for its report follows after a while."""
        return cls(State.HANDED_OVER, provider_reference=provider_reference, wait=FIRST_POLL)

    @classmethod
    def delivered(cls, provider_reference: str) -> Self:
        """The channel delivers what it accepts, and no report follows."""
        return cls(State.DELIVERED, provider_reference=provider_reference)

    @classmethod
    def refused(cls, trouble: Trouble) -> Self:
        """The provider will never accept the message."""
        return cls(State.FAILED, trouble)

    @classmethod
    def retry(cls, attempts: int, trouble: Trouble, *, ambiguous: bool = False) -> Self:
        """A later attempt may succeed; the message fails if this was attempt ``MAX_ATTEMPTS``."""
        if attempts >= MAX_ATTEMPTS:
            return cls(State.FAILED, trouble)
        wait = max(retry_delay(attempts), AMBIGUOUS_RETRY_DELAY) if ambiguous else retry_delay(attempts)
        return cls(State.QUEUED, trouble, wait=wait, ambiguous=ambiguous)

    @property
    def is_provider_failure(self) -> bool:
        """True unless the message was accepted, or refused because of its recipient or text."""
        accepted = self.state in {State.HANDED_OVER, State.DELIVERED}
        return not accepted and self.trouble not in {Trouble.BAD_RECIPIENT, Trouble.BAD_TEXT}


RESEND_AFTER = timedelta(hours=1)
"""The age of a handed-over message after which it is sent again if its provider does not have it."""
FIRST_POLL = timedelta(seconds=30)
REPORT_TIMEOUT = timedelta(hours=72)
"""The age of a handed-over message after which no report is expected."""


def poll_delay(age: timedelta) -> timedelta:
    """Return the delay until the next poll for the report of a message handed over ``age`` ago."""
    if age < timedelta(minutes=10):
        return timedelta(minutes=1)
    return timedelta(minutes=5) if age < timedelta(hours=1) else timedelta(minutes=30)
