"""Cases, their requests, their search index and their history."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, delete, func, insert, select

from desk.console.domain.cases import Case, Claim
from desk.console.domain.states import Kind, Stage, State
from desk.console.encryption import Encryption
from desk.console.store.case_keys import CaseKeys, is_key_of
from desk.console.store.tables import case as cases
from desk.console.store.tables import case_document, entry, processed_event, sub_subject
from desk.database import DatabaseSession, data_key, insert_into
from desk.expert import FileReference, Request
from desk.iran.workdays import WorkCalendar

OBJECTED_FIRST, ORDINARY = 0, 1
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case with its request; ``request`` is None until the event with it arrives."""

    case: Case
    request: Request | None
    escalates_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubSubject:
    """A sub-subject of the province's cases."""

    key: str
    title: str
    subject_title: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry of a case's history: an event of the desk, or a report of ``account``; ``kind`` is its name."""

    id: str
    at: datetime
    kind: str
    account: str | None = None
    text: str | None = None
    files: tuple[FileReference, ...] = ()
    file_names: tuple[str, ...] = ()


class CaseStore:
    """The cases of all provinces that this console serves."""

    def __init__(self, session: DatabaseSession, encryption: Encryption, calendar: WorkCalendar) -> None:
        self._session, self._calendar = session, calendar
        self._keys = CaseKeys(session, encryption)
        self._dialect = session.dialect

    async def get(self, province: str, tracking_code: str, *, lock: bool = False) -> CaseRecord | None:
        """Find a case; ``lock`` locks its row until the transaction ends."""
        query = select(cases).where(cases.c.province == province, cases.c.tracking_code == tracking_code)
        row = (await self._session.execute(query.with_for_update() if lock else query)).first()
        return None if row is None else (await self.with_requests([row]))[0]

    async def province_of(self, tracking_code: str) -> str | None:
        """Return which of the served provinces has a case now."""
        query = (
            select(cases.c.province)
            .where(cases.c.tracking_code == tracking_code, cases.c.submitted_at.is_not(None))
            .order_by(cases.c.state == State.REFERRED, cases.c.request_seq.desc())
        )
        return (await self._session.execute(query)).scalars().first()

    async def with_requests(self, rows: Sequence[Row[Any]]) -> list[CaseRecord]:
        """Return cases with their requests, from rows of the table of cases."""
        keys = [(row.province, row.tracking_code) for row in rows]
        documents: dict[tuple[str, str], Request] = {}
        for province in {province for province, _ in keys}:  # one by one: SQLite would scan the table for pairs
            codes = [code for of, code in keys if of == province]
            query = (
                select(case_document, data_key.c.wrapped)
                .outerjoin(data_key, is_key_of(case_document))
                .where(case_document.c.province == province, case_document.c.tracking_code.in_(codes))
            )
            for row in (await self._session.execute(query)).all():
                plain = self._keys.open(row, row.document, _context(province, row.tracking_code))
                documents[province, row.tracking_code] = Request.model_validate_json(plain)
        return [
            CaseRecord(_case(row), documents.get(key), row.escalates_at) for row, key in zip(rows, keys, strict=True)
        ]

    async def find_or_create_locked(self, new: Case) -> Case:
        """Lock a case until the transaction ends; create it first if it does not exist, once for concurrent events."""
        await self._session.execute(
            insert_into(self._dialect, cases).values(self.case_row(new)).on_conflict_do_nothing()
        )
        found = await self.get(new.province, new.tracking_code, lock=True)
        return found.case if found else new

    async def save(self, case: Case, request: Request | None = None) -> None:
        """Save a case, and its request if it is new."""
        await self._write(cases, self.case_row(case))
        if request is not None:
            await self._write(case_document, await self.document_row(case, request))

    async def _write(self, table: Table, values: dict[str, object]) -> None:
        key = ("province", "tracking_code")
        changed = {name: value for name, value in values.items() if name not in key}
        writing = insert_into(self._dialect, table).values(values)
        await self._session.execute(writing.on_conflict_do_update(index_elements=key, set_=changed))

    async def document_row(self, case: Case, request: Request) -> dict[str, object]:
        """Return the row of a request."""
        key = await self._keys.get(case.province, case.tracking_code)
        encrypted = key.seal(request.model_dump_json().encode(), _context(case.province, case.tracking_code))
        return {"province": case.province, "tracking_code": case.tracking_code, "document": encrypted}

    def case_row(self, case: Case) -> dict[str, object]:
        """Return the row of a case."""
        took = case.decided_at - case.submitted_at if case.decided_at and case.submitted_at else None
        return {
            "province": case.province,
            "tracking_code": case.tracking_code,
            "stage": case.stage,
            "state": case.state,
            "rank": OBJECTED_FIRST if case.objection_pending else ORDINARY,
            "seq": case.seq,
            "request_seq": case.request_seq,
            "submitted_at": case.submitted_at,
            "due_at": case.due_at,
            "escalates_at": case.escalates_at(self._calendar) if case.stage is not Stage.DONE else None,
            "answer_days": case.answer_days,
            "sub_subject": case.sub_subject,
            "asked_at": case.asked_at,
            "asked_until": case.asked_until,
            "contact_seq": case.contact_seq,
            "decided_at": case.decided_at,
            "days": took.total_seconds() / _DAY_SECONDS if took else None,
            "report_seq": case.report_seq,
            "last_report": case.last_report,
            "rating": case.rating,
            "refused": case.refused,
            "holder": case.claim.account if case.claim else None,
            "held_until": case.claim.until if case.claim else None,
            "objection": case.objection,
            "answerer": case.answerer,
            "assignee": case.assignee,
        }

    async def record_event(self, event_id: str, now: datetime) -> bool:
        """Record an event as processed; return False if it was before, so that it has no second effect."""
        recorded = await self._session.execute(
            insert_into(self._dialect, processed_event)
            .values(event_id=event_id, at=now)
            .on_conflict_do_nothing()
            .returning(processed_event.c.event_id)
        )
        return recorded.first() is not None

    async def is_processed(self, event_id: str) -> bool:
        """Return whether an event was processed."""
        query = select(processed_event.c.event_id).where(processed_event.c.event_id == event_id)
        return (await self._session.execute(query)).first() is not None

    async def add_entry(self, case: Case, history_entry: HistoryEntry, now: datetime) -> None:
        """Add an entry to the history."""
        await self._session.execute(insert(entry).values(await self.entry_row(case, history_entry, now)))

    async def entry_row(self, case: Case, history_entry: HistoryEntry, now: datetime) -> dict[str, object]:
        """Return the row of a history entry."""
        words = {
            "text": history_entry.text,
            "files": [file.model_dump() for file in history_entry.files],
            "file_names": list(history_entry.file_names),
        }
        return {
            "id": history_entry.id,
            "province": case.province,
            "tracking_code": case.tracking_code,
            "at": history_entry.at,
            "recorded_at": now,
            "kind": history_entry.kind,
            "account": history_entry.account,
            "words": await self._seal_words(case, history_entry.id, words) if any(words.values()) else None,
        }

    async def _seal_words(self, case: Case, entry_id: str, words: dict[str, Any]) -> bytes:
        key = await self._keys.get(case.province, case.tracking_code)
        return key.seal(json.dumps(words).encode(), f"entry.words:{entry_id}")

    async def history(self, province: str, tracking_code: str) -> list[HistoryEntry]:
        """Return the history of a case, oldest first; events have whole seconds, so that ties are broken by arrival."""
        query = (
            select(entry, data_key.c.wrapped)
            .outerjoin(data_key, is_key_of(entry))
            .where(entry.c.province == province, entry.c.tracking_code == tracking_code)
            .order_by(entry.c.recorded_at, entry.c.id)
        )
        rows = (await self._session.execute(query)).all()
        return [self._history_entry(row) for row in sorted(rows, key=lambda row: row.at.replace(microsecond=0))]

    def _history_entry(self, row: Row[Any]) -> HistoryEntry:
        words = json.loads(self._keys.open(row, row.words, f"entry.words:{row.id}")) if row.words is not None else {}
        return HistoryEntry(
            row.id,
            row.at,
            row.kind,
            row.account,
            words.get("text"),
            tuple(FileReference.model_validate(file) for file in words.get("files", ())),
            tuple(words.get("file_names", ())),
        )

    async def find_answerer(self, province: str, tracking_code: str, report_id: str | None) -> str | None:
        """Return the account that sent a report, or the latest decision if the report is not named."""
        query = select(entry.c.account).where(entry.c.province == province, entry.c.tracking_code == tracking_code)
        if report_id is not None:
            query = query.where(entry.c.id == report_id)
        else:
            query = query.where(entry.c.kind.in_((Kind.ANSWERED, Kind.REJECTED))).order_by(
                entry.c.at.desc(), entry.c.recorded_at.desc()
            )
        return (await self._session.execute(query.limit(1))).scalars().first()

    async def has_entry_since(self, case: Case, kind: str, account: str, since: datetime) -> bool:
        """Return whether the history has an entry of this kind and account since a moment."""
        query = select(entry.c.id).where(
            entry.c.province == case.province,
            entry.c.tracking_code == case.tracking_code,
            entry.c.at >= since,
            entry.c.kind == kind,
            entry.c.account == account,
        )
        return (await self._session.execute(query.limit(1))).first() is not None

    async def sub_subjects(self, province: str) -> list[SubSubject]:
        """List the sub-subjects of a province's cases."""
        query = (
            select(sub_subject.c.key, sub_subject.c.title, sub_subject.c.subject_title)
            .where(sub_subject.c.province == province)
            .order_by(sub_subject.c.subject_title, sub_subject.c.title)
        )
        return [SubSubject(row.key, row.title, row.subject_title) for row in (await self._session.execute(query)).all()]

    async def prune(self, before: datetime) -> int:
        """Delete records of events before ``before``; return their number."""
        return len(
            (
                await self._session.execute(
                    delete(processed_event).where(processed_event.c.at < before).returning(processed_event.c.event_id)
                )
            ).all()
        )

    async def count(self) -> int:
        """Count all cases."""
        return int((await self._session.execute(select(func.count()).select_from(cases))).scalar_one())


def _case(row: Row[Any]) -> Case:
    return Case(
        province=row.province,
        tracking_code=row.tracking_code,
        state=State(row.state),
        seq=row.seq,
        request_seq=row.request_seq,
        submitted_at=row.submitted_at,
        due_at=row.due_at,
        answer_days=row.answer_days,
        sub_subject=row.sub_subject,
        asked_at=row.asked_at,
        asked_until=row.asked_until,
        contact_seq=row.contact_seq,
        decided_at=row.decided_at,
        report_seq=row.report_seq,
        last_report=row.last_report,
        rating=row.rating,
        refused=row.refused,
        claim=Claim(row.holder, row.held_until) if row.holder else None,
        objection=row.objection,
        answerer=row.answerer,
        assignee=row.assignee,
    )


def _context(province: str, tracking_code: str) -> str:
    return f"case.document:{province}/{tracking_code}"
