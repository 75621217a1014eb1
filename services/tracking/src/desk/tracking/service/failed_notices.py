"""Passes on to the office of a case that an SMS about it did not reach the applicant."""

from dataclasses import dataclass, replace

import structlog

from desk.chassis.events import Received
from desk.database import DatabaseSession
from desk.tracking.domain import BEFORE_ANY_OFFICE, CaseErasedError, CaseNotReadyError
from desk.tracking.events import NoticeFailed, RequestNoticeFailed
from desk.tracking.service.context import CaseContext

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FailedNotices:
    """Publishes failed notices to offices."""

    context: CaseContext

    async def on_notice_failed(self, session: DatabaseSession, received: Received[NoticeFailed]) -> None:
        """Publish the failure to the office of the case, if an office has it and its data is not erased.

        The tracking page then asks the applicant to check the mobile.

        Raises CaseNotReadyError for a case that is not open yet, so that the event is retried.
        """
        failed, cases = received.data, self.context.cases(session)
        try:
            found = await cases.find_and_lock(failed.tracking_code)
        except CaseErasedError:
            found = None
        else:
            if found is None and not received.last_attempt:
                raise CaseNotReadyError
        if found is None or found[0].state in BEFORE_ANY_OFFICE:
            log.info("a failed notice of no office", event_id=received.id, reason=failed.reason)
            return
        case = replace(found[0], unreached=True).with_next_seq()
        event = RequestNoticeFailed(
            tracking_code=case.tracking_code,
            at=failed.at,
            notice=failed.notice,
            channel=failed.channel,
            reason=failed.reason,
        )
        await self.context.outbox.add(session, event, subject=case.tracking_code, key=case.province, seq=case.seq)
        await cases.update(case)
