"""Erases requests when tracking asks for it, and deletes their objects until the object store has none of them."""

from datetime import UTC, datetime

import structlog
from prometheus_client import Gauge

from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox, Received, erase_events
from desk.chassis.storage import ObjectStore, ObjectStoreUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.database import Database, DatabaseSession
from desk.intake.events import Erased, ErasureDone
from desk.intake.store import Erasure, ErasureStore

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 5.0


class RequestNotVisibleError(Exception):
    """The submission is not visible yet; it may be in a moment, so the event is retried."""


class ErasureTask:
    """Erases requests. Any number of replicas may run it at once.

    The keys are destroyed in the transaction of the event: nothing can be read from then on. A failure of the object
    store delays only the acknowledgement.
    """

    def __init__(
        self, database: Database, vault: Vault, outbox: Outbox, storage: ObjectStore, telemetry: Telemetry
    ) -> None:
        self._database = database
        self._vault = vault
        self._outbox = outbox
        self._storage = storage
        self._objects = Gauge(
            "desk_erased_objects", "Objects of erased files still to be deleted", registry=telemetry.registry
        )

    async def on_request_erased(self, session: DatabaseSession, received: Received[Erased]) -> None:
        """Destroy the keys of a request and of its files, and empty its rows; a repeat has no effect.

        Raises RequestNotVisibleError for an unknown request, so that the event is retried; at the last attempt there
        is nothing to erase.
        """
        code, certificate = received.data.tracking_code, received.data.certificate_id
        store = ErasureStore(session, self._vault)
        request_id = await store.lock_request(code)
        if request_id is None and not received.last_attempt:
            raise RequestNotVisibleError
        if await store.is_known(certificate):  # each office of the request causes an event with this certificate
            return
        await erase_events(session, code)
        now, office = datetime.now(UTC), received.routing_key.rpartition(".")[2]
        objects, keys = await store.empty(request_id, now) if request_id is not None else ([], 0)
        requests = 1 if request_id is not None else 0
        erasure = Erasure(certificate, code, office, received.seq, requests, len(objects), keys)
        await store.begin(erasure, objects, now)
        log.info("request erased", event_id=received.id, files=len(objects))

    async def run_once(self) -> float | None:
        """Finish one erasure; return 0 if there may be another one."""
        try:
            return 0 if await self.finish_next() else None
        except ObjectStoreUnavailableError:
            log.warning("objects of erased files are not deleted yet: object store unavailable")
            return None

    async def finish_next(self) -> bool:
        """Delete the objects of the oldest unfinished erasure, and acknowledge it; False if there is none.

        Raises ObjectStoreUnavailableError.
        """
        async with self._database.transaction() as session:
            store = ErasureStore(session, self._vault)
            self._objects.set(await store.count_objects())
            erasure = await store.next_unfinished()
            if erasure is None:
                return False
            for object_key in await store.objects_of(erasure.certificate_id):
                await self._storage.delete(object_key)
            now = datetime.now(UTC)
            await store.finish(erasure.certificate_id, now)
            await self._acknowledge(session, erasure, now)
        return True

    async def _acknowledge(self, session: DatabaseSession, erasure: Erasure, now: datetime) -> None:
        done = ErasureDone(
            tracking_code=erasure.tracking_code,
            certificate_id=erasure.certificate_id,
            at=now,
            removed={"requests": erasure.requests, "files": erasure.files, "keys": erasure.keys},
        )
        await self._outbox.add(session, done, subject=erasure.tracking_code, key=erasure.office, seq=erasure.seq)
