"""Submitted requests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Row, bindparam, func, select

from desk.chassis.crypto import Vault
from desk.chassis.event_tables import outbox
from desk.database import DatabaseSession, DataKeys, data_key, insert_together, notify_after_commit
from desk.intake.domain import PROBE, Applicant, Contact, Content, IdentityState, Request, RequestErasedError, Titled
from desk.intake.store.catalog import load_catalog
from desk.intake.store.origins import dump_origin, read_origin
from desk.intake.store.tables import identity_check, request
from desk.security.data_keys import DataKey

SELECT_REQUESTS = (
    select(request, identity_check.c.state.label("identity"), data_key.c.wrapped)
    .outerjoin(identity_check)
    .outerjoin(data_key, data_key.c.id == request.c.id)
)

_CONTENT = TypeAdapter(Content)

_OTHER_WITH_CONTENT = (
    select(request.c.id)
    .where(
        request.c.content_index.in_(bindparam("contents", expanding=True)),
        request.c.idempotency_index.not_in(bindparam("keys", expanding=True)),
        request.c.submitted_at >= bindparam("since"),
    )
    .limit(1)
)
"""Built once, because it is executed for every submission."""


def request_indexes(of: Request, vault: Vault) -> dict[str, str | None]:
    """Return the columns with keyed hashes that can be computed again from a stored request."""
    return {
        "owner_index": vault.index(of.applicant.national_id, "national_id"),
        "content_index": vault.index(_content(of), "content"),
        "mobile_index": vault.index(of.contact.mobile, "mobile") if of.contact.mobile else None,
        "index_key": vault.index_key_ids[0],
    }


def _content(of: Request) -> str:
    """Return what makes two requests of a day the same: applicant, province, sub-subject, text and further fields."""
    fields = "".join(f"\n{each.key}={each.value}" for each in of.content.fields)
    return f"{of.applicant.national_id}\n{of.province}\n{of.sub_subject.key}\n{of.content.text}{fields}"


class RequestStore:
    """Reads and writes requests."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._keys = DataKeys(vault)

    async def lock_key(self, idempotency_indexes: Sequence[str]) -> None:
        """While the index key is changed, make others with the same Idempotency-Key wait until this transaction ends.

        Old and new replicas then write different hashes of one key, which the unique column would take for two. All
        replicas that have both index keys lock the same number. SQLite runs one writing transaction at a time.
        """
        if len(idempotency_indexes) > 1 and self._session.dialect == "postgresql":
            key = func.hashtextextended(min(idempotency_indexes), 0)
            await self._session.execute(select(func.pg_advisory_xact_lock(key)))

    async def add(self, new: Request, event: Mapping[str, object], *, idempotency_index: str, fingerprint: str) -> bool:
        """Insert the request, its data key and the row of its event, which is published after the commit.

        Return False if another request has this key, after waiting for it if it is being inserted. Raises
        IntegrityError if the tracking code is taken.
        """
        contact = asdict(new.contact)
        language = contact.pop("language")  # next to it, where replicas of an earlier version ignore it
        personal = {
            "applicant": asdict(new.applicant),
            "contact": contact,
            **_CONTENT.dump_python(new.content, mode="json"),
            "language": language,
            "titles": [new.subject.title, new.sub_subject.title],
            **dump_origin(new.origin),
        }
        key = DataKey.generate(str(new.id))
        row = {
            "id": str(new.id),
            "tracking_code": new.tracking_code,
            **request_indexes(new, self._vault),
            "idempotency_index": idempotency_index,
            "fingerprint": fingerprint,
            "province": new.province,
            "subject": new.subject.key,
            "sub_subject": new.sub_subject.key,
            "submitted_at": new.submitted_at,
            "due_at": new.due_at,
            "personal": key.seal(json.dumps(personal).encode(), f"request.personal:{new.id}"),
            "mobile_proven": new.mobile_proven,
            "office": new.office,
            "catalog_version": new.catalog_version,
        }
        added = await insert_together(
            self._session,
            (request, row),
            (data_key, self._keys.row(key)),
            (outbox, event),
            unique="idempotency_index",
        )
        if added:
            notify_after_commit(self._session)
        return added

    async def has_other_with_content(self, like: Request, idempotency_indexes: Sequence[str], since: datetime) -> bool:
        """Return whether the applicant has sent this content with another key since a moment."""
        values = {
            "contents": self._vault.indexes(_content(like), "content"),
            "keys": list(idempotency_indexes),
            "since": since,
        }
        return (await self._session.execute(_OTHER_WITH_CONTENT, values)).first() is not None

    async def knows_mobile(self, of: Request) -> bool:
        """Return whether an earlier request of this number with this mobile has a confirmed identity."""
        confirmed = identity_check.c.state.is_(None) | (identity_check.c.state == IdentityState.CONFIRMED)
        query = (
            select(request.c.id)
            .outerjoin(identity_check)
            .where(
                request.c.mobile_index.in_(self._vault.indexes(of.contact.mobile, "mobile")),
                request.c.owner_index.in_(self._vault.indexes(of.applicant.national_id, "national_id")),
                request.c.id != str(of.id),
                confirmed,
            )
        )
        return (await self._session.execute(query.limit(1))).first() is not None

    async def by_key(self, idempotency_indexes: Sequence[str]) -> tuple[Request, str] | None:
        """Return the request that was submitted with this key, and the fingerprint of its content.

        Raises RequestErasedError.
        """
        query = SELECT_REQUESTS.where(request.c.idempotency_index.in_(idempotency_indexes))
        row = (await self._session.execute(query)).first()
        if row is not None and row.erased_at is not None:
            raise RequestErasedError
        return (self.read(row), row.fingerprint) if row else None

    async def find(self, national_id: str, tracking_code: str) -> Request | None:
        """Return an applicant's request by its code."""
        row = (
            await self._session.execute(
                SELECT_REQUESTS.where(
                    request.c.tracking_code == tracking_code,
                    request.c.owner_index.in_(self._vault.indexes(national_id, "national_id")),
                )
            )
        ).first()
        return self.read(row) if row else None

    async def submitted_between(
        self, since: datetime, until: datetime, *, after: str, limit: int
    ) -> list[tuple[str, IdentityState, datetime | None]]:
        """List the codes of a period that are greater than ``after``, in order, with the state of each identity.

        Synthetic requests are left out. For an identity that was pending, the moment is the end of its check.
        """
        query = (
            select(request.c.tracking_code, identity_check.c.state, identity_check.c.checked_at)
            .outerjoin(identity_check)
            .where(request.c.submitted_at >= since, request.c.submitted_at < until, request.c.tracking_code > after)
            .where(request.c.office != PROBE)
            .order_by(request.c.tracking_code)
            .limit(limit)
        )
        rows = (await self._session.execute(query)).all()
        return [(code, IdentityState(state) if state else IdentityState.KNOWN, since) for code, state, since in rows]

    async def identity_of(self, tracking_code: str) -> IdentityState | None:
        """Return the state of the identity of the request with this code; None if there is no such request."""
        query = (
            select(identity_check.c.state)
            .select_from(request.outerjoin(identity_check))
            .where(request.c.tracking_code == tracking_code)
        )
        row = (await self._session.execute(query)).first()
        return None if row is None else IdentityState(row.state) if row.state else IdentityState.KNOWN

    async def id_of(self, tracking_code: str) -> str | None:
        """Return the id of the request with this code, unless it was erased."""
        query = select(request.c.id).where(request.c.tracking_code == tracking_code, request.c.erased_at.is_(None))
        return (await self._session.execute(query)).scalar_one_or_none()

    async def is_erased(self, tracking_code: str) -> bool:
        """Return whether the data of the request with this code was erased."""
        query = select(request.c.id).where(request.c.tracking_code == tracking_code, request.c.erased_at.is_not(None))
        return (await self._session.execute(query)).first() is not None

    async def prevent_erasure(self, request_id: str) -> bool:
        """Make an erasure of the request wait for this transaction; return False if it was erased before."""
        query = select(request.c.id).where(request.c.id == request_id, request.c.erased_at.is_(None))
        return (await self._session.execute(query.with_for_update(read=True))).first() is not None

    async def by_id(self, request_id: str) -> Request:
        """Return a request that exists."""
        return self.read((await self._session.execute(SELECT_REQUESTS.where(request.c.id == request_id))).one())

    def read(self, row: Row[tuple[object, ...]]) -> Request:
        """Return the request of a row of :data:`SELECT_REQUESTS`. Raises KeyDestroyedError or DecryptionError."""
        personal = json.loads(self._keys.open(row.personal, f"request.personal:{row.id}", row.id, row.wrapped))
        titles = personal["titles"] if "titles" in personal else _first_titles(row.subject, row.sub_subject)
        return Request(
            id=UUID(row.id),
            tracking_code=row.tracking_code,
            submitted_at=row.submitted_at,
            due_at=row.due_at,
            province=row.province,
            subject=Titled(row.subject, titles[0]),
            sub_subject=Titled(row.sub_subject, titles[1]),
            applicant=Applicant(**personal["applicant"]),
            contact=Contact(**personal["contact"], language=personal.get("language", "fa")),
            content=_CONTENT.validate_python(personal),
            identity=IdentityState(row.identity) if row.identity else IdentityState.KNOWN,
            mobile_proven=row.mobile_proven,
            office=row.office,
            catalog_version=row.catalog_version,
            origin=read_origin(personal),
        )


def _first_titles(subject_key: str, sub_subject_key: str) -> tuple[str, str]:
    """Return the titles for a request from before versions of the catalogue, which does not contain them."""
    subject, sub_subject = load_catalog().choose(subject_key, sub_subject_key)
    return subject.title, sub_subject.title
