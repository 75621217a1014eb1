"""The malware scan of files: at the upload, or later if the scanner was unavailable then."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import BinaryIO

import structlog
from prometheus_client import Counter, Gauge

from desk.chassis.crypto import Vault
from desk.chassis.storage import ObjectStore, ObjectStoreUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.files.scanner import Scanner, ScannerUnavailableError
from desk.intake.domain import FileInfectedError, FileUnreadableError, StorageUnavailableError
from desk.intake.service.encrypted_objects import open_decrypted
from desk.intake.store.file_scans import FileScanStore, FileToScan

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 15.0
BATCH = 5
_CHUNK_BYTES = 64 * 1024


class FileScans:
    """Asks the malware scanner. Any number of replicas may run it at once."""

    def __init__(
        self, database: Database, vault: Vault, storage: ObjectStore, scanner: Scanner, telemetry: Telemetry
    ) -> None:
        self._database = database
        self._vault = vault
        self._storage = storage
        self._scanner = scanner
        self._pending = Gauge("desk_files_pending", "Files not yet scanned for malware", registry=telemetry.registry)
        self._scanned = Counter("desk_files_scanned", "Scans by result", ["result"], registry=telemetry.registry)

    async def examine(self, content: BinaryIO) -> datetime | None:
        """Examine an uploaded file; return None if it is clean, or when it is due again if the scanner is unavailable.

        Raises FileInfectedError.
        """
        try:
            malware = await self._scanner.find_malware(_chunks(content))
        except ScannerUnavailableError as error:
            log.warning("scanner unavailable, the file stays pending", reason=str(error))
            self._scanned.labels("unavailable").inc()
            return datetime.now(UTC)
        self._count(malware)
        if malware is not None:
            raise FileInfectedError(malware)
        return None

    async def run_once(self) -> float | None:
        """Examine a batch of pending files; return 0 if there may be another one."""
        async with self._database.transaction() as session:
            store = FileScanStore(session, self._vault)
            claimed = await store.claim(BATCH)
            self._pending.set(await store.count_pending())
        ended = [await self._try_to_examine(file) for file in claimed]
        return 0 if len(ended) >= BATCH and all(ended) else None

    async def _try_to_examine(self, file: FileToScan) -> bool:
        """Examine a file; one that fails is due again after its lease, and delays no other."""
        try:
            await self._examine_stored(file)
        except (ScannerUnavailableError, StorageUnavailableError) as error:
            log.warning("scan postponed", reason=str(error))
            self._scanned.labels("unavailable").inc()
            return False
        return True

    async def _examine_stored(self, file: FileToScan) -> None:
        try:
            download = await open_decrypted(self._storage, file.stored)
            async with aclosing(download.chunks) as chunks:
                malware = await self._scanner.find_malware(chunks)
        except FileUnreadableError:  # logged there; it is not handed out, and is examined again after the lease
            self._scanned.labels("unreadable").inc()
            return
        self._count(malware)
        if malware is not None:
            log.error("malware found in a file", object=file.stored.file.object_key, reason=malware)
            try:
                await self._storage.delete(file.stored.file.object_key)
            except ObjectStoreUnavailableError as error:
                raise StorageUnavailableError(str(error)) from error
        async with self._database.transaction() as session:
            await FileScanStore(session, self._vault).end(file, malware)

    def _count(self, malware: str | None) -> None:
        self._scanned.labels("clean" if malware is None else "infected").inc()


async def _chunks(content: BinaryIO) -> AsyncIterator[bytes]:
    content.seek(0)
    while chunk := content.read(_CHUNK_BYTES):
        yield chunk
