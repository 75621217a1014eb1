"""Erases requests with their files, and keeps track of the objects that the object store must still delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys, insert_into
from desk.intake.store.tables import answer_file, attachment, erased_object, erasure, identity_check, request


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure; ``requests``, ``files`` and ``keys`` count what was removed.

    ``office`` and ``seq`` are the routing key and the number of the event that asked for it.
    """

    certificate_id: str
    tracking_code: str
    office: str
    seq: int
    requests: int = 0
    files: int = 0
    keys: int = 0


class ErasureStore:
    """Empties the rows of requests."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._keys = DataKeys(vault)

    async def is_known(self, certificate_id: str) -> bool:
        """Return whether an erasure was begun before."""
        query = select(erasure.c.certificate_id).where(erasure.c.certificate_id == certificate_id)
        return (await self._session.execute(query)).first() is not None

    async def lock_request(self, tracking_code: str) -> str | None:
        """Lock a request, so that no file is added to it meanwhile, and return its id."""
        query = select(request.c.id).where(request.c.tracking_code == tracking_code).with_for_update()
        return (await self._session.execute(query)).scalar_one_or_none()

    async def empty(self, request_id: str, at: datetime) -> tuple[list[str], int]:
        """Destroy the keys of a locked request and its files, and empty its rows.

        The columns that keep codes and keys of repeated submissions unique stay. Return the objects of its files and
        the number of keys.
        """
        objects = await self._remove_files(request_id)
        await self._session.execute(delete(identity_check).where(identity_check.c.request_id == request_id))
        await self._session.execute(
            update(request)
            .where(request.c.id == request_id)
            .values(
                owner_index="",
                fingerprint="",
                personal=b"",
                content_index=None,
                mobile_index=None,
                mobile_proven=False,
                erased_at=func.coalesce(request.c.erased_at, at),
            )
        )
        return list(objects.values()), await self._keys.destroy(self._session, [request_id, *objects])

    async def _remove_files(self, request_id: str) -> dict[str, str]:
        """Delete the rows of a request's files; return the object of each id."""
        files: dict[str, str] = {}
        for table, condition in (
            (attachment, or_(attachment.c.request_id == request_id, attachment.c.reply_request_id == request_id)),
            (answer_file, answer_file.c.request_id == request_id),
        ):
            deleted = delete(table).where(condition).returning(table.c.id, table.c.object_key)
            files |= {row.id: row.object_key or row.id for row in (await self._session.execute(deleted)).all()}
        return files

    async def begin(self, new: Erasure, objects: Sequence[str], at: datetime) -> None:
        """Record an erasure and the objects that are still to be deleted."""
        await self._session.execute(
            insert(erasure).values(
                certificate_id=new.certificate_id,
                tracking_code=new.tracking_code,
                office=new.office,
                seq=new.seq,
                request_count=new.requests,
                file_count=new.files,
                key_count=new.keys,
                erased_at=at,
            )
        )
        if objects:
            rows = [{"object_key": each, "certificate_id": new.certificate_id} for each in objects]
            added = insert_into(self._session.dialect, erased_object).values(rows)
            await self._session.execute(added.on_conflict_do_nothing())

    async def next_unfinished(self) -> Erasure | None:
        """Lock and return the oldest erasure that is not acknowledged; skip locked ones."""
        query = (
            select(erasure)
            .where(erasure.c.done_at.is_(None))
            .order_by(erasure.c.erased_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = (await self._session.execute(query)).first()
        if row is None:
            return None
        return Erasure(
            certificate_id=row.certificate_id,
            tracking_code=row.tracking_code,
            office=row.office,
            seq=row.seq,
            requests=row.request_count,
            files=row.file_count,
            keys=row.key_count,
        )

    async def objects_of(self, certificate_id: str) -> list[str]:
        """List the objects of an erasure that may still exist."""
        query = select(erased_object.c.object_key).where(erased_object.c.certificate_id == certificate_id)
        return list((await self._session.execute(query)).scalars().all())

    async def finish(self, certificate_id: str, at: datetime) -> None:
        """Record that the objects of an erasure are deleted."""
        await self._session.execute(delete(erased_object).where(erased_object.c.certificate_id == certificate_id))
        await self._session.execute(
            update(erasure).where(erasure.c.certificate_id == certificate_id).values(done_at=at)
        )

    async def count_objects(self) -> int:
        """Count the objects of erased files that may still exist."""
        query = select(func.count()).select_from(erased_object)
        return int((await self._session.execute(query)).scalar_one())
