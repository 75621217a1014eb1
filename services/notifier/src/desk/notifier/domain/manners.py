"""When an SMS may disturb somebody, and how often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from desk.iran.jalali import TEHRAN
from desk.notifier.domain.notices import ChannelName, Template

CAN_WAIT: Mapping[Template, bool] = {
    Template.SUBMITTED: False,  # the applicant sits before the page
    Template.PENDING: False,
    Template.WITHDRAWN: False,  # or somebody else does, with the applicant's code
    Template.IDENTITY_REJECTED: True,
    Template.REFERRED: True,
    Template.INFO_REQUESTED: True,
    Template.ANSWERED: True,
    Template.REJECTED: True,
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
