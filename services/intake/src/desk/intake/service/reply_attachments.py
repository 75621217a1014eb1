"""The files of an applicant's reply: uploaded with a tracking token, promised to the reply, claimed by its event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.events import Received
from desk.chassis.storage import ObjectStore
from desk.database import Database, DatabaseSession
from desk.intake.domain import Attachment, RequestNotFoundError, UnknownAttachmentError, Uploader
from desk.intake.events import Replied
from desk.intake.service.attachments import keep_objects
from desk.intake.store import ReplyAttachmentStore, RequestStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyAttachments:
    """Assigns files to replies. A promise ends after a time unless the reply is published."""

    database: Database
    vault: Vault
    storage: ObjectStore

    async def uploader(self, tracking_code: str) -> Uploader:
        """Return the applicant of a request as the uploader of files for a reply. Raises RequestNotFoundError."""
        async with self.database.transaction() as session:
            store = RequestStore(session, self.vault)
            request_id = await store.id_of(tracking_code)
            if request_id is None:
                raise RequestNotFoundError
            applicant = (await store.by_id(request_id)).applicant
        return Uploader(applicant.national_id, reply_request_id=request_id)

    async def promise(self, tracking_code: str, reply: str, ids: Sequence[str]) -> list[Attachment]:
        """Promise all of these files to a reply, or none; the same reply gets the same result again.

        Raises RequestNotFoundError, UnknownAttachmentError or StorageUnavailableError.
        """
        async with self.database.transaction() as session:
            found = await self._available(session, tracking_code, reply, ids)
        await keep_objects(self.storage, found)
        async with self.database.transaction() as session:
            available = await self._available(session, tracking_code, reply, ids)
            await ReplyAttachmentStore(session, self.vault).promise(ids, reply)
        return available

    async def _available(
        self, session: DatabaseSession, tracking_code: str, reply: str, ids: Sequence[str]
    ) -> list[Attachment]:
        request_id = await RequestStore(session, self.vault).id_of(tracking_code)
        if request_id is None:
            raise RequestNotFoundError
        available = await ReplyAttachmentStore(session, self.vault).available(request_id, reply, ids)
        if len(available) != len(ids):
            raise UnknownAttachmentError
        return available

    async def on_request_replied(self, session: DatabaseSession, received: Received[Replied]) -> None:
        """Claim the files of a published reply. Raises ContractError."""
        ids = [each.id for each in received.data.files]
        if not ids:
            return
        request_id = await RequestStore(session, self.vault).id_of(received.data.tracking_code)
        if request_id is None:
            if await RequestStore(session, self.vault).is_erased(received.data.tracking_code):
                log.warning("a late event about an erased request", event_id=received.id)
                return
            raise ContractError("intake has no such request")
        claimed = await ReplyAttachmentStore(session, self.vault).claim(request_id, ids)
        if claimed < len(ids):
            log.error("files of a reply are missing", event_id=received.id, missing=len(ids) - claimed)

    async def count_promised_before(self, session: DatabaseSession, moment: datetime) -> int:
        """Count the files promised before a moment to a reply that has not been published."""
        return await ReplyAttachmentStore(session, self.vault).count_promised_before(moment)
