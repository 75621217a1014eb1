"""The outbox: reports and their files until the desk has them, and the record of sent reports."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, func, insert, select, update

from desk.console.domain.states import Kind, State
from desk.console.encryption import Encryption
from desk.console.store.case_keys import CaseKeys, is_key_of
from desk.console.store.tables import outgoing_file, report
from desk.database import DatabaseSession, data_key, notify_after_commit
from desk.expert import FileReference, Report
from desk.security.data_keys import DataKey, KeyWrapper

LEASE = timedelta(seconds=60)
"""How long a claim of a sender is valid; after that, another sender may claim the report."""
MAX_RETRY_DELAY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file of an answer."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file to upload; ``reference`` is set once the desk has it."""

    position: int
    name: str
    content: bytes
    reference: FileReference | None


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report to send."""

    province: str
    report: Report
    files: tuple[WaitingFile, ...]


@dataclass(frozen=True, slots=True)
class SentReport:
    """A report with the state of the case before it, and whether the desk refused it."""

    id: str
    name: str
    at: datetime
    before: State
    sent: bool
    refused: str | None


@dataclass(frozen=True, slots=True)
class RefusedReport:
    """A report that the desk refused, and the reason."""

    tracking_code: str
    name: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """The reports of a province that wait to be sent: their number, and the time of the oldest."""

    reports: int
    since: datetime


class ReportStore:
    """Reports by province and case."""

    def __init__(self, session: DatabaseSession, encryption: Encryption) -> None:
        self._session, self._encryption, self._keys = session, encryption, CaseKeys(session, encryption)

    async def add(self, province: str, new: Report, before: State, files: Sequence[NewFile] = ()) -> None:
        """Queue a report in this transaction.

        The acknowledgement of an erasure has no personal data, and the case has no key any more.
        """
        erased = new.name == Kind.ERASED
        key = self._encryption if erased else await self._keys.get(province, new.tracking_code)
        await self._session.execute(
            insert(report).values(
                id=new.id,
                province=province,
                tracking_code=new.tracking_code,
                name=new.name,
                seq=new.seq,
                before=before,
                at=new.at,
                data=_encrypt_document(key, new.data, f"report.data:{new.id}"),
                tries=0,
                next_try_at=new.at,
            )
        )
        for position, file in enumerate(files):
            context = f"outgoing_file:{new.id}/{position}"
            await self._session.execute(
                insert(outgoing_file).values(
                    report=new.id,
                    position=position,
                    content=key.seal(file.content, context),
                    document=_encrypt_document(key, {"name": file.name}, context),
                )
            )
        notify_after_commit(self._session)

    async def refused_of_kinds(self, province: str, kinds: Sequence[Kind], limit: int = 20) -> list[RefusedReport]:
        """List the latest refused reports of some kinds."""
        query = (
            select(report.c.tracking_code, report.c.name, report.c.at, report.c.refused)
            .where(report.c.province == province, report.c.name.in_(kinds), report.c.refused.is_not(None))
            .order_by(report.c.at.desc())
            .limit(limit)
        )
        return [RefusedReport(*row) for row in (await self._session.execute(query)).all()]

    async def claim(self, now: datetime, limit: int) -> list[WaitingReport]:
        """Claim due reports for the duration of a lease; of each case only the first unsent one."""
        earlier = report.alias("earlier")
        waits_for_another = exists().where(
            earlier.c.province == report.c.province,
            earlier.c.tracking_code == report.c.tracking_code,
            earlier.c.seq < report.c.seq,
            earlier.c.next_try_at.is_not(None),
        )
        due = (
            select(report, data_key.c.wrapped)
            .outerjoin(data_key, is_key_of(report))
            .where(report.c.next_try_at <= now, ~waits_for_another)
            .order_by(report.c.next_try_at, report.c.seq)
            .limit(limit)
            .with_for_update(skip_locked=True, of=report)
        )
        rows = (await self._session.execute(due)).all()
        ids = [row.id for row in rows]
        await self._session.execute(update(report).where(report.c.id.in_(ids)).values(next_try_at=now + LEASE))
        files = await self._files(ids)
        return [
            WaitingReport(
                row.province,
                Report(
                    row.id,
                    row.name,
                    row.tracking_code,
                    row.seq,
                    json.loads(self._keys.open(row, row.data, f"report.data:{row.id}")),
                    row.at,
                ),
                tuple(self._file(row, each) for each in files if each.report == row.id),
            )
            for row in sorted(rows, key=lambda row: (row.at, row.seq))
        ]

    async def _files(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        query = select(outgoing_file).where(outgoing_file.c.report.in_(ids)).order_by(outgoing_file.c.position)
        return (await self._session.execute(query)).all()

    def _file(self, of: Row[Any], row: Row[Any]) -> WaitingFile:
        context = f"outgoing_file:{row.report}/{row.position}"
        document = json.loads(self._keys.open(of, row.document, context))
        reference = FileReference.model_validate(document["reference"]) if "reference" in document else None
        content = self._keys.open(of, row.content, context) if row.content is not None else b""
        return WaitingFile(row.position, document["name"], content, reference)

    async def set_reference(self, waiting: WaitingReport, file: WaitingFile, reference: FileReference) -> None:
        """Record that the desk has a file of a report, and delete its content."""
        report_id = waiting.report.id
        query = select(report.c.id).where(report.c.id == report_id).with_for_update()
        if (await self._session.execute(query)).first() is None:  # the case was erased meanwhile
            return
        key = await self._keys.get(waiting.province, waiting.report.tracking_code)
        context = f"outgoing_file:{report_id}/{file.position}"
        document = _encrypt_document(key, {"name": file.name, "reference": reference.model_dump()}, context)
        await self._session.execute(
            update(outgoing_file)
            .where(outgoing_file.c.report == report_id, outgoing_file.c.position == file.position)
            .values(content=None, document=document)
        )

    async def mark_sent(self, report_id: str, now: datetime) -> None:
        """Record that the desk has a report."""
        await self._session.execute(
            update(report).where(report.c.id == report_id).values(next_try_at=None, sent_at=now)
        )

    async def schedule_retry(self, report_id: str, now: datetime) -> None:
        """Schedule the next attempt: after 1 s, then twice as long each time, at most 30 s."""
        attempts = (await self._session.execute(select(report.c.tries).where(report.c.id == report_id))).scalar_one()
        delay = min(timedelta(seconds=2 ** min(attempts, 10)), MAX_RETRY_DELAY)
        await self._session.execute(
            update(report).where(report.c.id == report_id).values(tries=attempts + 1, next_try_at=now + delay)
        )

    async def mark_refused(self, report_id: str, reason: str) -> SentReport | None:
        """Record that the desk refused a report; return None if the report is unknown."""
        row = (await self._session.execute(select(report).where(report.c.id == report_id))).first()
        if row is None:
            return None
        await self._session.execute(
            update(report).where(report.c.id == report_id).values(next_try_at=None, refused=reason[:40])
        )
        return SentReport(row.id, row.name, row.at, State(row.before), row.sent_at is not None, reason)

    async def list_of_case(self, province: str, tracking_code: str) -> list[SentReport]:
        """List the reports of a case."""
        query = (
            select(report)
            .where(report.c.province == province, report.c.tracking_code == tracking_code)
            .order_by(report.c.seq)
        )
        return [
            SentReport(row.id, row.name, row.at, State(row.before), row.sent_at is not None, row.refused)
            for row in (await self._session.execute(query)).all()
        ]

    async def unsent_codes(self, province: str, tracking_codes: Sequence[str]) -> frozenset[str]:
        """Return which cases have a decision or question that the desk has not accepted yet."""
        query = select(report.c.tracking_code).where(
            report.c.province == province,
            report.c.tracking_code.in_(tracking_codes),
            report.c.next_try_at.is_not(None),
            report.c.name.not_in((Kind.RECEIVED, Kind.ASSIGNED, Kind.OPENED)),
        )
        return frozenset((await self._session.execute(query)).scalars().all())

    async def backlog(self) -> dict[str, Backlog]:
        """Return the unsent reports by province; provinces without any are left out."""
        query = (
            select(report.c.province, func.count().label("reports"), func.min(report.c.at).label("since"))
            .where(report.c.next_try_at.is_not(None))
            .group_by(report.c.province)
        )
        return {row.province: Backlog(row.reports, row.since) for row in (await self._session.execute(query)).all()}


def _encrypt_document(key: DataKey | KeyWrapper, document: dict[str, Any], context: str) -> bytes:
    return key.seal(json.dumps(document, ensure_ascii=False).encode(), context)
