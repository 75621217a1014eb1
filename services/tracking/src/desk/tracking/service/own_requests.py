"""Lists the requests of an applicant who has proven the mobile that was given with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from desk.chassis.audit import AuditLog
from desk.database import Database
from desk.tracking.domain import Province, Request, State
from desk.tracking.service.context import CaseContext, named_office
from desk.tracking.store import PersonStore

LISTED = 50
"""How many requests are listed, the newest."""


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request in the list of its applicant."""

    request: Request
    office: Province
    state: State

    @property
    def submitted_at(self) -> datetime:
        """When it was submitted."""
        return self.request.submitted_at


@dataclass(frozen=True, slots=True)
class OwnRequests:
    """The requests of an applicant. Those that only intake has, for some seconds, are not among them."""

    database: Database
    context: CaseContext
    audit: AuditLog

    async def find(self, national_id: str, mobile: str, source: str) -> tuple[Sequence[OwnRequest], bool]:
        """Return the newest requests whose applicant has this number and whose contact has this mobile (E.164).

        Also return whether there are older ones. ``source`` is the caller's address, for the audit log. The caller has
        proven the mobile. The query, and the entry in the log, are the same if there are none.
        """
        async with self.database.one_write() as session:
            found = await PersonStore(session, self.context.vault).newest(national_id, mobile, LISTED + 1)
            person = self.context.vault.index(national_id, "national_id")
            about = f"{min(len(found), LISTED)} requests"
            await self.audit.add(session, "applicant", "requests_listed", subject=person, source=source, about=about)
        listed = [OwnRequest(request, named_office(case.province), case.state) for case, request in found[:LISTED]]
        return listed, len(found) > LISTED

    async def index_older(self, limit: int) -> int:
        """Let up to ``limit`` cases from before there was a list be found, and return their number."""
        async with self.database.transaction() as session:
            return await PersonStore(session, self.context.vault).index_older(limit)
