"""Records a refused report, and publishes the reason to its office."""

import re
from dataclasses import dataclass

import structlog

from desk.chassis.bus import ContractError, InvalidEvent
from desk.database import DatabaseSession
from desk.iran.offices import UnknownOfficeError, office
from desk.tracking.domain import ContractBrokenError, RefusedError
from desk.tracking.events import REPORTS_EXCHANGE, CaseRefused
from desk.tracking.service.context import CaseContext

log = structlog.get_logger(__name__)

FIRST_SEQ = 1
"""The number of a refusal about a case that tracking does not have."""
_TRACKING_CODE = re.compile("[0-9]{12}")
_REPORT_NAME = re.compile("[a-z-]{1,40}")


@dataclass(frozen=True, slots=True)
class RefusedReport:
    """A report that is refused: its id, its name, its case and the office that receives the refusal."""

    id: str
    name: str
    tracking_code: str
    office: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refuses reports."""

    context: CaseContext

    async def refuse(self, session: DatabaseSession, report: RefusedReport, refused: RefusedError) -> None:
        """Record the refusal and publish it; a report that was refused before is not refused again."""
        cases = self.context.cases(session)
        code = report.tracking_code
        if not await cases.add_refusal(report.id, code, report.office, report.name, refused.reason):
            return
        log.warning("report refused", event_id=report.id, report=report.name, reason=refused.reason)
        await self.context.outbox.add(
            session,
            CaseRefused(
                tracking_code=code,
                report=report.name,
                report_id=report.id,
                reason=refused.reason,
                explanation=str(refused),
                field=refused.field,
                rule=refused.rule,
                expected_seq=refused.expected_seq,
                at=self.context.clock(),
            ),
            subject=code,
            key=report.office,
            seq=await self._next_seq(session, report.tracking_code),
        )

    async def _next_seq(self, session: DatabaseSession, tracking_code: str) -> int:
        cases = self.context.cases(session)
        case = await cases.lock_bare(tracking_code)
        if case is None:
            return FIRST_SEQ
        case = case.with_next_seq()
        await cases.update(case)
        return case.seq

    async def on_invalid(self, session: DatabaseSession, invalid: InvalidEvent) -> None:
        """Refuse a report that breaks the contract, if its office, its id and its tracking code can be read."""
        code = invalid.subject or ""
        if invalid.exchange != REPORTS_EXCHANGE or invalid.id is None or not _TRACKING_CODE.fullmatch(code):
            return
        sender, name = find_office(invalid.sender, invalid.routing_key), invalid.routing_key.partition(".")[0]
        if sender is None or not _REPORT_NAME.fullmatch(name):
            return
        report = RefusedReport(invalid.id, name, code, sender)
        await self.refuse(session, report, ContractBrokenError(invalid.field, invalid.rule))


def find_office(sender: str | None, routing_key: str) -> str | None:
    """Return the office that receives a refusal: the broker's user if it is known, else the routing key's."""
    name = (sender or routing_key).rpartition(".")[2]
    try:
        return office(name).key
    except UnknownOfficeError:
        return None


def require_office(sender: str | None, routing_key: str) -> str:
    """Return the office that receives a refusal. Raises ContractError."""
    found = find_office(sender, routing_key)
    if found is None:
        raise ContractError("the report comes from no office", field="user_id", rule="unknown")
    return found
