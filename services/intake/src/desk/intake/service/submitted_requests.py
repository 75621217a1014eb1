"""Looking submitted requests up for tracking."""

from dataclasses import dataclass
from datetime import datetime

from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox
from desk.database import DatabaseSession
from desk.intake.domain import Attachment, IdentityState, Request, RequestNotFoundError
from desk.intake.store import AttachmentStore, RequestStore


@dataclass(frozen=True, slots=True)
class SubmittedRequests:
    """Looks submitted requests up."""

    vault: Vault
    outbox: Outbox

    async def find(self, session: DatabaseSession, national_id: str, tracking_code: str) -> Request:
        """Return an applicant's request by its code. Raises RequestNotFoundError."""
        request = await RequestStore(session, self.vault).find(national_id, tracking_code)
        if request is None:
            raise RequestNotFoundError
        return request

    async def identity_of(self, session: DatabaseSession, tracking_code: str) -> IdentityState:
        """Return the state of the identity of a request by its code. Raises RequestNotFoundError."""
        state = await RequestStore(session, self.vault).identity_of(tracking_code)
        if state is None:
            raise RequestNotFoundError
        return state

    async def files_of(self, session: DatabaseSession, request: Request) -> list[Attachment]:
        """Return the files of a request in the order of their upload."""
        return await AttachmentStore(session, self.vault).of_request(request.id)

    async def list_codes(
        self, session: DatabaseSession, since: datetime, until: datetime, after: str, limit: int
    ) -> list[tuple[str, IdentityState, datetime | None]]:
        """List the codes of a period with the state of each identity and its moment; nothing personal."""
        store = RequestStore(session, self.vault)
        return await store.submitted_between(since, until, after=after, limit=limit)

    async def backlog(self, session: DatabaseSession) -> tuple[int, float]:
        """Return the number of unsent events and the age of the oldest in seconds."""
        return await self.outbox.backlog(session)
