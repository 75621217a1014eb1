"""The life of a message: what it is, which state may follow which, and when to try again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Self

from desk.chassis.problem import DomainError
from desk.iran.jalali import TEHRAN


class ReportNotWantedError(DomainError):
    """A report with a wrong secret, of a provider we have not, or about a message that is not ours."""

    status = 404
    code = "report_not_wanted"
    title = "این گزارش پذیرفته نشد."


class NotAReportError(DomainError):
    """What a provider sent is no report we can read."""

    code = "not_a_report"
    title = "این گزارش خوانده نشد. شناسه و وضعیت پیام را بفرستید."


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


CAN_WAIT: dict[Template, bool] = {
    Template.SUBMITTED: False,  # the applicant sits before the page
    Template.PENDING: False,
    Template.IDENTITY_REJECTED: True,
    Template.ANSWERED: True,
}
"""Whether an SMS of this kind waits for the morning. An email makes no noise and never waits."""


@dataclass(frozen=True, slots=True)
class Manners:
    """When an SMS may disturb somebody, and how often."""

    quiet_from: time = time(22)
    quiet_until: time = time(8)
    """Tehran time; equal times mean that no hours are quiet."""
    most_per_hour: int = 20
    """Messages of one channel to one recipient."""

    def quiet_end(self, moment: datetime) -> datetime | None:
        """Return when the quiet hours end in which a moment lies; None if it lies in none."""
        if self.quiet_from == self.quiet_until:
            return None
        local = moment.astimezone(TEHRAN)
        clock = local.time()
        over_midnight = self.quiet_from > self.quiet_until
        before_end, after_start = clock < self.quiet_until, clock >= self.quiet_from
        if not (before_end or after_start if over_midnight else before_end and after_start):
            return None
        day = local.date() + timedelta(days=1 if over_midnight and after_start else 0)
        return datetime.combine(day, self.quiet_until, TEHRAN).astimezone(UTC)

    def send_at(self, template: Template, channel: ChannelName, now: datetime, recent: Sequence[datetime]) -> datetime:
        """Return when a message is due, if its recipient's of this channel were due at ``recent``, the newest first.

        It waits for the end of the quiet hours if it can, and until an hour has passed since the message before which
        as many as are allowed lie.
        """
        due = now
        if len(recent) >= self.most_per_hour:
            due = max(due, recent[self.most_per_hour - 1] + timedelta(hours=1))
        if channel is ChannelName.SMS and CAN_WAIT[template]:
            due = self.quiet_end(due) or due
        return due


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
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What fills the template, for a provider that keeps its words."""
    provider: str | None = None
    """The provider that was chosen for it, for a channel that has several."""
    in_doubt: bool = False
    """True if an earlier try may have handed it to that provider."""


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
        """It may be taken later, unless this was the last of ``MOST_TRIES`` tries."""
        if tries >= MOST_TRIES:
            return cls(State.FAILED, trouble)
        return cls(State.QUEUED, trouble, wait=wait_after(tries), in_doubt=in_doubt)

    @property
    def blames_provider(self) -> bool:
        """True unless it was taken, or refused for what is wrong with the message itself."""
        return self.state is not State.HANDED_OVER and self.trouble not in {Trouble.BAD_RECIPIENT, Trouble.BAD_TEXT}


FIRST_QUESTION = timedelta(seconds=30)
GIVEN_UP_AFTER = timedelta(hours=72)
"""A provider that has not said by then what became of a message never will."""


def question_after(age: timedelta) -> timedelta:
    """How long to wait with the next question about a message handed over ``age`` ago."""
    if age < timedelta(minutes=10):
        return timedelta(minutes=1)
    return timedelta(minutes=5) if age < timedelta(hours=1) else timedelta(minutes=30)


SLOW_AFTER = timedelta(minutes=5)
RECENTLY = timedelta(minutes=30)
ENOUGH_TO_JUDGE = 10
DEMOTED_AT, SOUND_UNTIL = 0.15, 0.05
LEAST_SHARE = 0.05
"""What is left of a demoted provider's weight: enough to see that it has recovered."""


@dataclass(frozen=True, slots=True)
class Record:
    """How a provider did of late: how many messages it was given, and how many it failed or took too long with."""

    given: int = 0
    bad: int = 0

    @property
    def trust(self) -> float:
        """What part of its weight a provider keeps: all with few bad ones, the least from 15 % on, between in between.

        Since only what happened of late counts, it drifts back by itself.
        """
        if self.given < ENOUGH_TO_JUDGE:
            return 1.0
        rest = (DEMOTED_AT - self.bad / self.given) / (DEMOTED_AT - SOUND_UNTIL)
        return min(1.0, max(LEAST_SHARE, rest))


def choose(weights: Mapping[str, int], records: Mapping[str, Record], point: float) -> str:
    """Choose a provider by weight and trust; ``point`` is random, from 0 up to 1."""
    shares = {name: weight * records.get(name, Record()).trust for name, weight in weights.items()}
    left = point * sum(shares.values())
    for name, share in shares.items():
        left -= share
        if left < 0:
            return name
    return next(reversed(shares))


def sms_segments(text: str) -> int:
    """Count the parts of a Persian SMS: 70 characters (UTF-16 units) alone, 67 in each part when joined."""
    units = len(text.encode("utf-16-be")) // 2
    return 1 if units <= 70 else -(-units // 67)  # noqa: PLR2004 - GSM 03.40 with UCS-2
