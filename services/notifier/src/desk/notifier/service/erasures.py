"""Erases the messages of a request when tracking asks for it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox, Received
from desk.database import DatabaseSession
from desk.notifier.events import ErasureDone, RequestErased
from desk.notifier.store import ErasureStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Erasures:
    """Erases, and acknowledges in the same transaction."""

    vault: Vault
    outbox: Outbox

    async def on_request_erased(self, session: DatabaseSession, received: Received[RequestErased]) -> None:
        """Erase the messages of a request, once, and acknowledge each event; each office of the request causes one."""
        code, now = received.data.tracking_code, datetime.now(UTC)
        store = ErasureStore(session, self.vault)
        await store.lock(code)
        removed = await store.erase(code, now)
        counts = {"messages": removed.messages, "keys": removed.keys} if removed else {"messages": 0, "keys": 0}
        done = ErasureDone(
            tracking_code=code,
            certificate_id=received.data.certificate_id,
            at=now,
            removed=counts,
        )
        office = received.routing_key.rpartition(".")[2]
        await self.outbox.add(session, done, subject=code, key=office, seq=received.seq)
        log.info("messages erased", event_id=received.id, count=counts["messages"])
