"""Cases, what they are found by, and their history."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from desk.console.domain.cases import Case, Hold, Stage, State
from desk.console.seal import Seal
from desk.console.store.tables import case as cases
from desk.console.store.tables import case_document, case_word, entry, heard, sub_subject
from desk.database import insert_into
from desk.expert import FileReference, Request
from desk.iran.workdays import WorkCalendar

OBJECTED_FIRST, ORDINARY = 0, 1
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case with its request; None while only a later event of it has come."""

    case: Case
    request: Request | None
    escalates_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubSubject:
    """A sub-subject that cases have come under."""

    key: str
    title: str
    subject_title: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a case's history: an event of the desk by its name, or a report; ``account`` wrote it, if one did."""

    id: str
    at: datetime
    kind: str
    account: str | None = None
    text: str | None = None
    files: tuple[FileReference, ...] = ()
    file_names: tuple[str, ...] = ()


class CaseStore:
    """The cases of all provinces that this console serves."""

    def __init__(self, session: AsyncSession, seal: Seal, calendar: WorkCalendar) -> None:
        self._session, self._seal, self._calendar = session, seal, calendar
        self._dialect = session.get_bind().dialect.name

    async def get(self, province: str, tracking_code: str, *, lock: bool = False) -> KnownCase | None:
        """Find a case, locked until the transaction ends if it is to be changed."""
        query = select(cases).where(cases.c.province == province, cases.c.tracking_code == tracking_code)
        row = (await self._session.execute(query.with_for_update() if lock else query)).first()
        return None if row is None else (await self.found([row]))[0]

    async def province_of(self, tracking_code: str) -> str | None:
        """Tell which of the provinces that this console serves has a case now."""
        query = (
            select(cases.c.province)
            .where(cases.c.tracking_code == tracking_code, cases.c.submitted_at.is_not(None))
            .order_by(cases.c.state == State.REFERRED, cases.c.request_seq.desc())
        )
        return (await self._session.execute(query)).scalars().first()

    async def found(self, rows: Sequence[Row[Any]]) -> list[KnownCase]:
        """Give rows of the table of cases with their requests."""
        keys = [(row.province, row.tracking_code) for row in rows]
        documents: dict[tuple[str, str], Request] = {}
        for province in {province for province, _ in keys}:  # one by one: SQLite finds pairs by reading everything
            codes = [code for of, code in keys if of == province]
            query = select(case_document).where(
                case_document.c.province == province, case_document.c.tracking_code.in_(codes)
            )
            for row in (await self._session.execute(query)).all():
                opened = self._seal.open(row.document, _place(province, row.tracking_code))
                documents[province, row.tracking_code] = Request.model_validate_json(opened)
        return [
            KnownCase(_case(row), documents.get(key), row.escalates_at) for row, key in zip(rows, keys, strict=True)
        ]

    async def locked(self, new: Case) -> Case:
        """Lock a case until the transaction ends, beginning it if it is not there: only one of two events begins it."""
        await self._session.execute(insert_into(self._dialect, cases).values(self.values(new)).on_conflict_do_nothing())
        known = await self.get(new.province, new.tracking_code, lock=True)
        return known.case if known else new

    async def save(self, case: Case, request: Request | None = None) -> None:
        """Write a case, and its request if that is new."""
        await self._write(cases, self.values(case))
        if request is not None:
            await self._write(case_document, self.document(case, request))

    async def _write(self, table: Table, values: dict[str, object]) -> None:
        key = ("province", "tracking_code")
        changed = {name: value for name, value in values.items() if name not in key}
        writing = insert_into(self._dialect, table).values(values)
        await self._session.execute(writing.on_conflict_do_update(index_elements=key, set_=changed))

    def document(self, case: Case, request: Request) -> dict[str, object]:
        """Return a request as a row."""
        sealed = self._seal.seal(request.model_dump_json().encode(), _place(case.province, case.tracking_code))
        return {"province": case.province, "tracking_code": case.tracking_code, "document": sealed}

    def values(self, case: Case) -> dict[str, object]:
        """Return a case as a row."""
        took = case.decided_at - case.submitted_at if case.decided_at and case.submitted_at else None
        return {
            "province": case.province,
            "tracking_code": case.tracking_code,
            "stage": case.stage,
            "state": case.state,
            "rank": OBJECTED_FIRST if case.state is State.OBJECTED else ORDINARY,
            "seq": case.seq,
            "request_seq": case.request_seq,
            "submitted_at": case.submitted_at,
            "due_at": case.due_at,
            "escalates_at": case.escalates_at(self._calendar) if case.stage is not Stage.DONE else None,
            "answer_days": case.answer_days,
            "sub_subject": case.sub_subject,
            "asked_at": case.asked_at,
            "decided_at": case.decided_at,
            "days": took.total_seconds() / _DAY_SECONDS if took else None,
            "report_seq": case.report_seq,
            "last_report": case.last_report,
            "rating": case.rating,
            "refused": case.refused,
            "holder": case.hold.account if case.hold else None,
            "held_until": case.hold.until if case.hold else None,
        }

    async def found_by(self, case: Case, words: set[str], request: Request) -> None:
        """Let a case be found by these words, and its subject by its title."""
        this = (case_word.c.province == case.province, case_word.c.tracking_code == case.tracking_code)
        await self._session.execute(delete(case_word).where(*this))
        rows = [
            {
                "province": case.province,
                "word": self._seal.word(word, case.province),
                "tracking_code": case.tracking_code,
            }
            for word in sorted(words)
        ]
        await self._session.execute(insert(case_word), rows)
        title = {"title": request.sub_subject.title, "subject_title": request.subject.title}
        await self._session.execute(
            insert_into(self._dialect, sub_subject)
            .values(province=case.province, key=request.sub_subject.key, **title)
            .on_conflict_do_update(index_elements=("province", "key"), set_=title)
        )

    async def record_in_inbox(self, event_id: str, now: datetime) -> bool:
        """Note an event as heard; False if it was before, so that its effect must not happen again."""
        noted = await self._session.execute(
            insert_into(self._dialect, heard)
            .values(event_id=event_id, at=now)
            .on_conflict_do_nothing()
            .returning(heard.c.event_id)
        )
        return noted.first() is not None

    async def was_heard(self, event_id: str) -> bool:
        """Return whether an event has had its effect."""
        query = select(heard.c.event_id).where(heard.c.event_id == event_id)
        return (await self._session.execute(query)).first() is not None

    async def add_entry(self, case: Case, line: Entry, now: datetime) -> None:
        """Add a line to the history."""
        await self._session.execute(insert(entry).values(self.entry_values(case, line, now)))

    def entry_values(self, case: Case, line: Entry, now: datetime) -> dict[str, object]:
        """Return a line as a row."""
        words = {
            "text": line.text,
            "files": [file.model_dump() for file in line.files],
            "file_names": list(line.file_names),
        }
        return {
            "id": line.id,
            "province": case.province,
            "tracking_code": case.tracking_code,
            "at": line.at,
            "recorded_at": now,
            "kind": line.kind,
            "account": line.account,
            "words": self._seal.seal(json.dumps(words).encode(), f"entry.words:{line.id}")
            if any(words.values())
            else None,
        }

    async def history(self, province: str, tracking_code: str) -> list[Entry]:
        """Return the lines of a case, the oldest first."""
        query = (
            select(entry)
            .where(entry.c.province == province, entry.c.tracking_code == tracking_code)
            .order_by(entry.c.at, entry.c.recorded_at, entry.c.id)
        )
        return [self._line(row) for row in (await self._session.execute(query)).all()]

    def _line(self, row: Row[Any]) -> Entry:
        words = json.loads(self._seal.open(row.words, f"entry.words:{row.id}")) if row.words is not None else {}
        return Entry(
            row.id,
            row.at,
            row.kind,
            row.account,
            words.get("text"),
            tuple(FileReference.model_validate(file) for file in words.get("files", ())),
            tuple(words.get("file_names", ())),
        )

    async def sub_subjects(self, province: str) -> list[SubSubject]:
        """List the sub-subjects that cases have come under."""
        query = (
            select(sub_subject.c.key, sub_subject.c.title, sub_subject.c.subject_title)
            .where(sub_subject.c.province == province)
            .order_by(sub_subject.c.subject_title, sub_subject.c.title)
        )
        return [SubSubject(row.key, row.title, row.subject_title) for row in (await self._session.execute(query)).all()]

    async def prune(self, before: datetime) -> int:
        """Forget events that were heard long ago; return how many."""
        return len(
            (await self._session.execute(delete(heard).where(heard.c.at < before).returning(heard.c.event_id))).all()
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
        decided_at=row.decided_at,
        report_seq=row.report_seq,
        last_report=row.last_report,
        rating=row.rating,
        refused=row.refused,
        hold=Hold(row.holder, row.held_until) if row.holder else None,
    )


def _place(province: str, tracking_code: str) -> str:
    return f"case.document:{province}/{tracking_code}"
