"""Erases cases, and keeps certificates, acknowledgements and figures, none of which are personal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, false, func, insert, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys, data_key, insert_into
from desk.security.data_keys import is_sealed_by_data_key
from desk.tracking.domain import Case, Certificate, ErasingParty, ErasureReason, Figure, State
from desk.tracking.store.tables import (
    case_table,
    erasing_party_table,
    erasure_table,
    figure_table,
    handover_table,
    step_table,
)

_PENDING = erasing_party_table.c.acknowledged_at.is_(None) & erasing_party_table.c.informed_only.is_(false())
_CERTIFICATES = select(erasure_table, erasing_party_table).outerjoin(erasing_party_table)


class ErasureStore:
    """Empties cases, and reads and writes certificates and figures."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._keys = DataKeys(vault)

    async def next_due(self, expired_before: Mapping[State, datetime]) -> str | None:
        """Lock a case whose term is over, the oldest of its state, and return its code; skip locked ones."""
        for state, moment in expired_before.items():  # each by the index of state and last change
            query = (
                select(case_table.c.tracking_code)
                .where(case_table.c.state == state.value, case_table.c.since < moment)
                .order_by(case_table.c.since)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            code = (await self._session.execute(query)).scalar_one_or_none()
            if code is not None:
                return str(code)
        return None

    async def codes_without_key(self) -> list[str]:
        """List the cases whose data cannot be read because their key was destroyed, and that are not marked erased."""
        query = (
            select(case_table.c.tracking_code, case_table.c.request)
            .outerjoin(data_key, data_key.c.id == case_table.c.tracking_code)
            .where(data_key.c.id.is_(None), case_table.c.state != State.ERASED.value)
        )
        rows = (await self._session.execute(query)).all()
        return [row.tracking_code for row in rows if is_sealed_by_data_key(row.request)]

    async def erased_among(self, codes: Sequence[str]) -> set[str]:
        """Return those of the codes whose cases are erased."""
        query = select(erasure_table.c.tracking_code).where(erasure_table.c.tracking_code.in_(codes))
        return set((await self._session.execute(query)).scalars().all())

    async def offices_of(self, case: Case) -> list[str]:
        """Return the offices that have had a case, the present one first."""
        query = select(handover_table.c.province).where(
            handover_table.c.tracking_code == case.tracking_code, handover_table.c.province != case.province
        )
        return [case.province, *(await self._session.execute(query.order_by(handover_table.c.turn))).scalars()]

    async def empty_case(self, tracking_code: str) -> dict[str, int]:
        """Destroy the key of a case and empty its personal columns; return how much of each kind was removed."""
        keys = await self._keys.destroy(self._session, [tracking_code])
        requests = await self._session.execute(
            update(case_table)
            .where(case_table.c.tracking_code == tracking_code, case_table.c.request != b"")
            .values(owner_index="", contact_index="", request=b"", subject=None, sub_subject=None)
            .returning(case_table.c.tracking_code)
        )
        emptied = await self._session.execute(
            update(step_table)
            .where(step_table.c.tracking_code == tracking_code, step_table.c.words.is_not(None))
            .values(words=None)
            .returning(step_table.c.event_id)
        )
        return {"requests": len(requests.all()), "texts": len(emptied.all()), "keys": keys}

    async def add_erased(self, case: Case) -> bool:
        """Insert an erased case of which nothing else is known; return False if there is a case with its code."""
        added = await self._session.execute(
            insert_into(self._session.dialect, case_table)
            .values(
                tracking_code=case.tracking_code,
                province=case.province,
                state=case.state.value,
                seq=case.seq,
                report_seq=case.report_seq,
                submitted_at=case.submitted_at,
                due_at=case.due_at,
                since=case.since,
                owner_index="",
                contact_index="",
                request=b"",
                counted=case.counted,
            )
            .on_conflict_do_nothing()
            .returning(case_table.c.tracking_code)
        )
        return added.first() is not None

    async def add(self, certificate: Certificate) -> None:
        """Insert the certificate of an erasure and the parties that are asked to erase."""
        await self._session.execute(
            insert(erasure_table).values(
                certificate_id=certificate.id,
                tracking_code=certificate.tracking_code,
                reason=certificate.reason.value,
                requested_at=certificate.requested_at,
                erased_at=certificate.erased_at,
                removed=json.dumps(certificate.removed),
            )
        )
        for party in certificate.parties:
            await self.add_party(certificate.id, party)

    async def add_party(self, certificate_id: str, party: ErasingParty) -> bool:
        """Add a party that is asked to erase; return False if it was asked before."""
        added = await self._session.execute(
            insert_into(self._session.dialect, erasing_party_table)
            .values(
                certificate_id=certificate_id,
                party=party.name,
                asked_at=party.asked_at,
                informed_only=party.informed_only,
            )
            .on_conflict_do_nothing()
            .returning(erasing_party_table.c.party)
        )
        return added.first() is not None

    async def acknowledge(
        self, tracking_code: str, certificate_id: str, party: str, at: datetime, removed: Mapping[str, int]
    ) -> bool:
        """Record the first acknowledgement of a party.

        Return False if it was not asked to erase this case by this certificate.
        """
        of_case = select(erasure_table.c.certificate_id).where(erasure_table.c.tracking_code == tracking_code)
        asked = (
            erasing_party_table.c.certificate_id == certificate_id,
            erasing_party_table.c.certificate_id == of_case.scalar_subquery(),
            erasing_party_table.c.party == party,
        )
        await self._session.execute(
            update(erasing_party_table)
            .where(*asked, erasing_party_table.c.acknowledged_at.is_(None))
            .values(acknowledged_at=at, removed=json.dumps(removed))
        )
        return (await self._session.execute(select(erasing_party_table.c.party).where(*asked))).first() is not None

    async def certificate(self, tracking_code: str) -> Certificate | None:
        """Return the certificate of a case; None if it was not erased."""
        found = await self._certificates(_CERTIFICATES.where(erasure_table.c.tracking_code == tracking_code))
        return found[0] if found else None

    async def pending(self) -> list[Certificate]:
        """List the erasures that a party has not acknowledged, the oldest first."""
        unfinished = select(erasing_party_table.c.certificate_id).where(_PENDING)
        query = _CERTIFICATES.where(erasure_table.c.certificate_id.in_(unfinished)).order_by(erasure_table.c.erased_at)
        return await self._certificates(query)

    async def count_pending(self, asked_before: datetime) -> int:
        """Count the acknowledgements that are missing since before a moment."""
        query = select(func.count()).where(_PENDING, erasing_party_table.c.asked_at < asked_before)
        return int((await self._session.execute(query)).scalar_one())

    async def _certificates(self, query: Select[tuple[Any, ...]]) -> list[Certificate]:
        rows: dict[str, list[Row[Any]]] = {}
        for row in (await self._session.execute(query)).all():
            rows.setdefault(row.certificate_id, []).append(row)
        return [_certificate(several) for several in rows.values()]

    async def count(self, figure: Figure) -> None:
        """Add a case to the figures. The row stays locked until the transaction ends, so this comes last in it."""
        new = insert_into(self._session.dialect, figure_table).values(asdict(figure))
        added = {name: figure_table.c[name] + new.excluded[name] for name in ("requests", "answered", "answer_days")}
        keys = ["month", "province", "subject", "sub_subject", "state"]
        await self._session.execute(new.on_conflict_do_update(index_elements=keys, set_=added))

    async def figures(self) -> list[Figure]:
        """Return all figures."""
        rows = (await self._session.execute(select(figure_table))).all()
        return [Figure(**row._asdict() | {"state": State(row.state)}) for row in rows]


def _certificate(rows: Sequence[Row[Any]]) -> Certificate:
    first = rows[0]._mapping  # noqa: SLF001 - the documented access to columns of the same name
    parties = [_party(row) for row in rows if row._mapping[erasing_party_table.c.party] is not None]  # noqa: SLF001
    return Certificate(
        id=first[erasure_table.c.certificate_id],
        tracking_code=first[erasure_table.c.tracking_code],
        reason=ErasureReason(first[erasure_table.c.reason]),
        requested_at=first[erasure_table.c.requested_at],
        erased_at=first[erasure_table.c.erased_at],
        removed=json.loads(first[erasure_table.c.removed]),
        parties=tuple(sorted(parties, key=lambda party: (party.asked_at, party.name))),
    )


def _party(row: Row[Any]) -> ErasingParty:
    found = row._mapping  # noqa: SLF001 - as above
    return ErasingParty(
        name=found[erasing_party_table.c.party],
        asked_at=found[erasing_party_table.c.asked_at],
        acknowledged_at=found[erasing_party_table.c.acknowledged_at],
        removed=json.loads(found[erasing_party_table.c.removed]),
        informed_only=found[erasing_party_table.c.informed_only],
    )
