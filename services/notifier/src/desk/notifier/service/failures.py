"""Notifies tracking of SMS that finally failed, so that the office of the request can call the applicant."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.chassis.events import Outbox
from desk.database import Database
from desk.notifier.events import NoticeFailed
from desk.notifier.store import FailureStore

KEY = "desk"
"""The routing key: notifier does not know which office has the request."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Failures:
    """Publishes each failed SMS once, in the transaction that marks it. Any number of replicas may do so at once."""

    database: Database
    outbox: Outbox
    clock: Callable[[], datetime] = _now

    async def publish(self, limit: int) -> int:
        """Publish up to ``limit`` failures, and return their number."""
        async with self.database.transaction() as session:
            failed = await FailureStore(session).take(limit)
            for each in failed:
                event = NoticeFailed(
                    tracking_code=each.tracking_code,
                    at=self.clock(),
                    notice=each.template,
                    channel=each.channel,
                    reason=each.trouble,
                )
                await self.outbox.add(session, event, subject=each.tracking_code, key=KEY, seq=each.seq)
        return len(failed)
