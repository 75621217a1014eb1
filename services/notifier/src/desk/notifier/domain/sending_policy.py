"""When and how often a recipient may get messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from desk.iran.jalali import TEHRAN
from desk.notifier.domain.notices import CODES, ChannelName, Template

DEFERRABLE: Mapping[Template, bool] = {
    Template.SUBMITTED: False,  # the applicant is using the page
    Template.PENDING: False,
    Template.WITHDRAWN: False,  # a warning, in case another person withdrew the request with the applicant's code
    Template.IDENTITY_REJECTED: True,
    Template.REFERRED: True,
    Template.INFO_REQUESTED: True,
    Template.QUESTION_REMINDER: True,
    Template.UNANSWERED: True,
    Template.ANSWERED: True,
    Template.REJECTED: True,
    Template.CONTACT_CHANGED: False,  # a warning, in case another person has the applicant's code
    Template.CODE: False,
    Template.CODE_REQUESTS: False,
    Template.CODE_CONTACT: False,
}
"""Whether an SMS of this template waits until the quiet hours end. An email never waits."""


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """The quiet hours and the rate limit of a recipient."""

    quiet_from: time = time(22)
    quiet_until: time = time(8)
    """Tehran time; equal times mean that there are no quiet hours."""
    max_per_hour: int = 20
    """Messages of one channel to one recipient."""
    max_sms_per_day: int = 10
    """Notices by SMS to one mobile."""

    def limits_of(self, channel: ChannelName) -> Sequence[tuple[int, timedelta]]:
        """Return how many messages of a channel a recipient gets in which time."""
        per_hour = (self.max_per_hour, timedelta(hours=1))
        return (per_hour, (self.max_sms_per_day, timedelta(days=1))) if channel is ChannelName.SMS else (per_hour,)

    def quiet_end(self, moment: datetime) -> datetime | None:
        """Return the end of the quiet hours that contain ``moment``; None outside of them."""
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

    def send_at(
        self, template: Template, channel: ChannelName, now: datetime, earlier: Sequence[datetime | None]
    ) -> datetime:
        """Return when a new message is due.

        ``earlier`` contains for each limit ``(most, window)`` of the channel the due time of the recipient's other
        message that is number ``most`` from the newest; None if there are fewer. So no hour and no day contains more
        of them than allowed, and a deferrable SMS waits until the quiet hours end. A code is due at once: captcha
        limits codes before they are sent.
        """
        if template in CODES:
            return now
        due = now
        for (_, window), at in zip(self.limits_of(channel), earlier, strict=True):
            if at is not None:
                due = max(due, at + window)
        if channel is ChannelName.SMS and DEFERRABLE[template]:
            due = self.quiet_end(due) or due
        return due
