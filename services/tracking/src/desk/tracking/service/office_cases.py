"""What an office may know of a case by its tracking code, headquarters of any case. Nothing of it is personal."""

from dataclasses import dataclass

from desk.chassis.audit import AuditLog
from desk.database import Database, DatabaseSession
from desk.iran.offices import HEADQUARTERS
from desk.tracking.domain import (
    BEFORE_ANY_OFFICE,
    Case,
    CaseErasedError,
    CaseOfOfficeNotFoundError,
    Province,
    Request,
    Subject,
)
from desk.tracking.events import Stay
from desk.tracking.service.context import CaseContext
from desk.tracking.service.handovers import Handovers


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A case without personal data. ``province`` and the subjects are None if it is erased.

    ``trail`` has the offices that have had it, the present one last; it is empty before any office had it.
    """

    case: Case
    province: Province | None
    subject: Subject | None
    sub_subject: Subject | None
    trail: list[Stay]


@dataclass(frozen=True, slots=True)
class OfficeCases:
    """Finds cases for offices: a province finds those that it has, headquarters every one."""

    database: Database
    context: CaseContext
    audit: AuditLog

    async def find(self, caller: str, tracking_code: str, source: str) -> CaseSummary:
        """Return a case for an office at the address ``source``, and record it in the audit log.

        Raises CaseOfOfficeNotFoundError, also for the case of another office.
        """
        async with self.database.one_write() as session:
            case = await self.context.cases(session).find_bare(tracking_code)
            if case is None or not _may_read(caller, case):
                raise CaseOfOfficeNotFoundError
            request = await self._request(session, tracking_code)
            trail = await self._trail(session, case)
            await self.audit.add(session, f"office.{caller}", "case_found", subject=tracking_code, source=source)
        if request is None:
            return CaseSummary(case, None, None, None, trail)
        return CaseSummary(case, request.province, request.subject, request.sub_subject, trail)

    async def _request(self, session: DatabaseSession, tracking_code: str) -> Request | None:
        try:
            found = await self.context.cases(session).find(tracking_code)
        except CaseErasedError:
            return None
        return found[1] if found is not None else None

    async def _trail(self, session: DatabaseSession, case: Case) -> list[Stay]:
        return [] if case.state in BEFORE_ANY_OFFICE else await Handovers(self.context).trail(session, case)


def _may_read(caller: str, case: Case) -> bool:
    if caller == HEADQUARTERS.key:
        return True
    return case.province == caller and case.state not in BEFORE_ANY_OFFICE
