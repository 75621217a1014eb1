"""Reads and writes cases, their history, stays at former offices, refused reports. Personal data is encrypted."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, and_, bindparam, insert, or_, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys, data_key, insert_into, insert_together
from desk.security.data_keys import DataKey
from desk.tracking.domain import REPORTED, Action, Answer, Case, CaseErasedError, File, HistoryEntry, Request, State
from desk.tracking.store.case_rows import (
    CONTACT_CHANGED,
    OPENED,
    RECORDS,
    REQUEST,
    case_row,
    columns,
    entry_row,
    owner_columns,
    read_case,
    sealed,
    subject_columns,
)
from desk.tracking.store.tables import case_table, handover_table, refusal_table, step_table

_ANSWER = TypeAdapter(Answer | None)
_FILES = TypeAdapter(tuple[File, ...])
SELECT_CASES = select(case_table, data_key.c.wrapped).outerjoin(data_key, data_key.c.id == case_table.c.tracking_code)
"""Cases with their data keys."""

# Built once: they are executed for every event, and building a statement costs more CPU time than executing it again.
_FIND = SELECT_CASES.where(case_table.c.tracking_code == bindparam("code"))
_FIND_AND_LOCK = _FIND.with_for_update(of=case_table)
_FIND_OF_PERSON = _FIND.where(case_table.c.owner_index.in_(bindparam("owners", expanding=True)))
_HISTORY = (
    select(step_table, data_key.c.wrapped)
    .outerjoin(data_key, data_key.c.id == step_table.c.tracking_code)
    .where(step_table.c.tracking_code == bindparam("code"))
    .order_by(
        step_table.c.turn,
        step_table.c.seq,
        step_table.c.action.is_not(None),
        step_table.c.at,
        step_table.c.recorded_at,
    )
)
_REPORT_NUMBERS = select(step_table.c.seq).where(
    step_table.c.tracking_code == bindparam("code"),
    step_table.c.turn == bindparam("of_turn"),
    or_(
        step_table.c.action == OPENED,
        and_(step_table.c.action.is_(None), step_table.c.state.in_(REPORTED)),
    ),
)
_ADD_CASE, _ADD_STEP = insert(case_table), insert(step_table)
_UPDATE = update(case_table).where(case_table.c.tracking_code == bindparam("code"))


@dataclass(frozen=True, slots=True)
class Handover:
    """The latest stay of a former office: its turn, its first report that is refused, and from when to when.

    The times are None in cases from before migration 0014.
    """

    province: str
    turn: int
    report_seq: int
    since: datetime | None = None
    until: datetime | None = None


class CaseStore:
    """Reads and writes cases and their history. The data key of a case has its tracking code as id."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._keys = DataKeys(vault)
        self._known: dict[str, DataKey] = {}

    async def add(self, case: Case, request: Request) -> None:
        """Insert a new case with its request and its key, which is there already after some restores.

        The copy of the keys is newer than that of the data.
        """
        row = case_row(case, request, await self._key_of(case.tracking_code), self._vault)
        await self._session.execute(_ADD_CASE, row)

    async def open(self, case: Case, request: Request, entry: HistoryEntry) -> bool:
        """Insert a new case with its key and with an entry without words, in one statement.

        Insert nothing and return False if the case or its key is there already, after waiting for another transaction
        that is inserting it.
        """
        key = DataKey.generate(case.tracking_code)
        return await insert_together(
            self._session,
            (data_key, self._keys.row(key)),
            (case_table, case_row(case, request, key, self._vault)),
            (step_table, entry_row(case.tracking_code, entry)),
            unique="id",
            absent=case_table.c.tracking_code,
        )

    async def update(self, case: Case) -> None:
        """Update a case."""
        await self._session.execute(_UPDATE, {"code": case.tracking_code, **columns(case)})

    async def update_with_request(self, case: Case, request: Request) -> None:
        """Update a case and its request: the registry's names, the subject it was referred to, or its contact."""
        values = {"code": case.tracking_code, **columns(case), **subject_columns(request)}
        values |= owner_columns(request, self._vault)
        values["request"] = await self._seal(request)
        await self._session.execute(_UPDATE, values)

    async def _seal(self, request: Request) -> bytes:
        return sealed(request, await self._key_of(request.tracking_code))

    async def _key_of(self, tracking_code: str) -> DataKey:
        """Return the key of a case, without a query if this store has read the case."""
        if tracking_code not in self._known:  # a case from before there were data keys gets one when it changes
            self._known[tracking_code] = await self._keys.get_or_create(self._session, tracking_code)
        return self._known[tracking_code]

    async def find(self, tracking_code: str) -> tuple[Case, Request] | None:
        """Return a case and its request, without a lock; None if there is no such case. Raises CaseErasedError."""
        row = (await self._session.execute(_FIND, {"code": tracking_code})).first()
        return self.read(row) if row else None

    async def find_and_lock(self, tracking_code: str) -> tuple[Case, Request] | None:
        """Return a case and its request, locked until the transaction ends; None if there is no such case.

        Raises CaseErasedError.
        """
        row = (await self._session.execute(_FIND_AND_LOCK, {"code": tracking_code})).first()
        return self.read(row) if row else None

    async def lock_expired(self, now: datetime, limit: int) -> list[tuple[Case, Request]]:
        """Lock and return up to ``limit`` cases whose deadline has passed, the oldest first; skip locked ones."""
        query = (
            SELECT_CASES.where(case_table.c.alarm_at < now)
            .order_by(case_table.c.alarm_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=case_table)
        )
        return [self.read(row) for row in (await self._session.execute(query)).all()]

    async def find_bare(self, tracking_code: str) -> Case | None:
        """Return a case without its request, which may be erased, and without a lock; None if there is no such case."""
        query = select(case_table).where(case_table.c.tracking_code == tracking_code)
        row = (await self._session.execute(query)).first()
        return read_case(row) if row else None

    async def lock_bare(self, tracking_code: str) -> Case | None:
        """Lock and return a case without its request, which may be erased; None if there is no such case."""
        query = select(case_table).where(case_table.c.tracking_code == tracking_code).with_for_update()
        row = (await self._session.execute(query)).first()
        return read_case(row) if row else None

    async def is_erased(self, tracking_code: str) -> bool:
        """Return whether the data of a case was erased."""
        query = select(case_table.c.state).where(case_table.c.tracking_code == tracking_code)
        return (await self._session.execute(query)).scalar_one_or_none() == State.ERASED

    async def find_of_person(self, national_id: str, tracking_code: str) -> tuple[Case, Request] | None:
        """Return a person's case and its request by its code, without a lock."""
        values = {"code": tracking_code, "owners": self._vault.indexes(national_id, "national_id")}
        row = (await self._session.execute(_FIND_OF_PERSON, values)).first()
        return self.read(row) if row else None

    async def add_entry(self, tracking_code: str, entry: HistoryEntry) -> None:
        """Add an entry to a case's history."""
        words = {
            "note": entry.note,
            "answer": _ANSWER.dump_python(entry.answer, mode="json"),
            "rating": entry.rating,
            "files": _FILES.dump_python(entry.files, mode="json"),
        }
        sealed = await self._seal_words(tracking_code, entry.event_id, words) if any(words.values()) else None
        await self._session.execute(_ADD_STEP, entry_row(tracking_code, entry) | {"words": sealed})

    async def _seal_words(self, tracking_code: str, event_id: str, words: dict[str, Any]) -> bytes:
        key = await self._key_of(tracking_code)
        return key.seal(json.dumps(words).encode(), f"step.words:{event_id}")

    async def history(self, tracking_code: str) -> list[HistoryEntry]:
        """Return a case's history in the order in which it happened.

        The order follows each province's own numbers, not the clocks: times are whole seconds, and 31 clocks differ.
        An applicant's action comes after the report that it followed.
        """
        rows = (await self._session.execute(_HISTORY, {"code": tracking_code})).all()
        return [self._entry(row) for row in rows]

    async def report_numbers(self, tracking_code: str, turn: int) -> set[int]:
        """Return the numbers of the reports in the history of a turn; the case is locked."""
        found = await self._session.execute(_REPORT_NUMBERS, {"code": tracking_code, "of_turn": turn})
        return set(found.scalars())

    async def add_handover(self, tracking_code: str, handover: Handover) -> None:
        """Record the end of an office's stay; replaces the record of an earlier one."""
        row = {"tracking_code": tracking_code, **asdict(handover)}
        await self._session.execute(
            insert_into(self._session.dialect, handover_table)
            .values(row)
            .on_conflict_do_update(index_elements=["tracking_code", "province"], set_=row)
        )

    async def stays(self, tracking_code: str) -> list[Handover]:
        """Return the latest stay of each former office, in their order."""
        query = select(handover_table).where(handover_table.c.tracking_code == tracking_code)
        rows = (await self._session.execute(query.order_by(handover_table.c.turn))).all()
        return [Handover(row.province, row.turn, row.report_seq, row.since, row.until) for row in rows]

    async def add_refusal(self, event_id: str, tracking_code: str, province: str, report: str, reason: str) -> bool:
        """Record a refused report; return False if it is recorded already."""
        added = await self._session.execute(
            insert_into(self._session.dialect, refusal_table)
            .values(
                event_id=event_id,
                tracking_code=tracking_code,
                province=province,
                report=report,
                reason=reason,
                at=datetime.now(UTC),
            )
            .on_conflict_do_nothing()
            .returning(refusal_table.c.event_id)
        )
        return added.first() is not None

    def read(self, row: Row[Any]) -> tuple[Case, Request]:
        """Return the case of a row of :data:`SELECT_CASES` and its request.

        Raises CaseErasedError, KeyDestroyedError or DecryptionError.
        """
        case = read_case(row)
        if case.state is State.ERASED:
            raise CaseErasedError
        if row.wrapped is not None:
            self._known[row.tracking_code] = self._keys.unwrap(row.tracking_code, row.wrapped)
        place = f"case.request:{row.tracking_code}"
        request = self._keys.open(row.request, place, row.tracking_code, row.wrapped)
        return case, REQUEST.validate_json(request)

    def _words(self, row: Row[Any]) -> bytes:
        return self._keys.open(row.words, f"step.words:{row.event_id}", row.tracking_code, row.wrapped)

    def _entry(self, row: Row[Any]) -> HistoryEntry:
        words = json.loads(self._words(row)) if row.words else {}
        return HistoryEntry(
            event_id=row.event_id,
            at=row.at,
            state=State(row.state),
            note=words.get("note"),
            answer=_ANSWER.validate_python(words.get("answer")),
            turn=row.turn,
            seq=row.seq,
            action=Action(row.action) if row.action and row.action not in RECORDS else None,
            rating=words.get("rating"),
            files=_FILES.validate_python(words.get("files", [])),
            opened=row.action == OPENED,
            contact_changed=row.action == CONTACT_CHANGED,
        )
