"""The outbox: reports of experts and their files, until the desk has them; then a record of what was said."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.console.domain.cases import State
from desk.console.seal import Seal
from desk.console.store.tables import outgoing_file, report
from desk.database import notify_after_commit
from desk.expert import FileReference, Report

LEASE = timedelta(seconds=60)
"""How long a sender may take over what it has claimed; then another one may."""
LONGEST_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that an expert adds to an answer."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file on its way; ``reference`` once the desk has it."""

    position: int
    name: str
    content: bytes
    reference: FileReference | None


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report on its way."""

    province: str
    report: Report
    files: tuple[WaitingFile, ...]


@dataclass(frozen=True, slots=True)
class SentReport:
    """What became of a report: where the case was before it, and whether the desk refused it."""

    id: str
    name: str
    at: datetime
    before: State
    sent: bool
    refused: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of a province is on its way: how many reports, and since when the oldest."""

    reports: int
    since: datetime


class ReportStore:
    """Reports by province and case."""

    def __init__(self, session: AsyncSession, seal: Seal) -> None:
        self._session, self._seal = session, seal

    async def add(self, province: str, new: Report, before: State, files: Sequence[NewFile] = ()) -> None:
        """Let a report go out with this transaction."""
        await self._session.execute(
            insert(report).values(
                id=new.id,
                province=province,
                tracking_code=new.tracking_code,
                name=new.name,
                seq=new.seq,
                before=before,
                at=new.at,
                data=self._sealed(new.data, f"report.data:{new.id}"),
                tries=0,
                next_try_at=new.at,
            )
        )
        for position, file in enumerate(files):
            place = f"outgoing_file:{new.id}/{position}"
            await self._session.execute(
                insert(outgoing_file).values(
                    report=new.id,
                    position=position,
                    content=self._seal.seal(file.content, place),
                    document=self._sealed({"name": file.name}, place),
                )
            )
        notify_after_commit(self._session)

    async def claim(self, now: datetime, most: int) -> list[WaitingReport]:
        """Take reports that are due for as long as a lease lasts; of each case only the first that waits."""
        earlier = report.alias("earlier")
        waits_for_another = exists().where(
            earlier.c.province == report.c.province,
            earlier.c.tracking_code == report.c.tracking_code,
            earlier.c.seq < report.c.seq,
            earlier.c.next_try_at.is_not(None),
        )
        due = (
            select(report)
            .where(report.c.next_try_at <= now, ~waits_for_another)
            .order_by(report.c.next_try_at, report.c.seq)
            .limit(most)
            .with_for_update(skip_locked=True)
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
                    json.loads(self._seal.open(row.data, f"report.data:{row.id}")),
                    row.at,
                ),
                tuple(self._file(each) for each in files if each.report == row.id),
            )
            for row in sorted(rows, key=lambda row: (row.at, row.seq))
        ]

    async def _files(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        query = select(outgoing_file).where(outgoing_file.c.report.in_(ids)).order_by(outgoing_file.c.position)
        return (await self._session.execute(query)).all()

    def _file(self, row: Row[Any]) -> WaitingFile:
        place = f"outgoing_file:{row.report}/{row.position}"
        document = json.loads(self._seal.open(row.document, place))
        reference = FileReference.model_validate(document["reference"]) if "reference" in document else None
        content = self._seal.open(row.content, place) if row.content is not None else b""
        return WaitingFile(row.position, document["name"], content, reference)

    async def keep_reference(self, report_id: str, file: WaitingFile, reference: FileReference) -> None:
        """Note that the desk has a file; its content is not needed any more."""
        place = f"outgoing_file:{report_id}/{file.position}"
        document = self._sealed({"name": file.name, "reference": reference.model_dump()}, place)
        await self._session.execute(
            update(outgoing_file)
            .where(outgoing_file.c.report == report_id, outgoing_file.c.position == file.position)
            .values(content=None, document=document)
        )

    async def sent(self, report_id: str, now: datetime) -> None:
        """Note that the desk has a report."""
        await self._session.execute(
            update(report).where(report.c.id == report_id).values(next_try_at=None, sent_at=now)
        )

    async def put_off(self, report_id: str, now: datetime) -> None:
        """Let a report be tried again: after 1 s, then twice as long each time, at most 30 s."""
        tries = (await self._session.execute(select(report.c.tries).where(report.c.id == report_id))).scalar_one()
        pause = min(timedelta(seconds=2 ** min(tries, 10)), LONGEST_PAUSE)
        await self._session.execute(
            update(report).where(report.c.id == report_id).values(tries=tries + 1, next_try_at=now + pause)
        )

    async def refused(self, report_id: str, reason: str) -> SentReport | None:
        """Note that the desk refuses a report; None if it is none of ours."""
        row = (await self._session.execute(select(report).where(report.c.id == report_id))).first()
        if row is None:
            return None
        await self._session.execute(
            update(report).where(report.c.id == report_id).values(next_try_at=None, refused=reason[:40])
        )
        return SentReport(row.id, row.name, row.at, State(row.before), row.sent_at is not None, reason)

    async def of_case(self, province: str, tracking_code: str) -> list[SentReport]:
        """List a case's reports."""
        query = (
            select(report)
            .where(report.c.province == province, report.c.tracking_code == tracking_code)
            .order_by(report.c.seq)
        )
        return [
            SentReport(row.id, row.name, row.at, State(row.before), row.sent_at is not None, row.refused)
            for row in (await self._session.execute(query)).all()
        ]

    async def backlog(self) -> dict[str, Backlog]:
        """Count what waits, by province; those of which nothing does are left out."""
        query = (
            select(report.c.province, func.count().label("reports"), func.min(report.c.at).label("since"))
            .where(report.c.next_try_at.is_not(None))
            .group_by(report.c.province)
        )
        return {row.province: Backlog(row.reports, row.since) for row in (await self._session.execute(query)).all()}

    def _sealed(self, document: dict[str, Any], place: str) -> bytes:
        return self._seal.seal(json.dumps(document, ensure_ascii=False).encode(), place)
