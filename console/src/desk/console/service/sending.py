"""Sends what experts reported: everything, once to the desk's mind, and each case's in order."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from desk.console.line import Line, Lines
from desk.console.seal import Seal
from desk.console.store.cases import CaseStore, Entry
from desk.console.store.reports import ReportStore, WaitingReport
from desk.database import Database
from desk.expert import BrokerAwayError, FileRefusedError
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

BATCH = 20
POLL_SECONDS = 1.0
FILE_REFUSED = "file-refused"
"""In a case's history: the desk did not take a file, so the answer did not go out."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Takes reports from the outbox to the desk."""

    database: Database
    seal: Seal
    calendar: WorkCalendar
    lines: Lines
    clock: Callable[[], datetime]
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Look at once: a hint, no guarantee."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled; polling is the guarantee."""
        while True:
            self._wake.clear()
            try:
                while await self.send_due():
                    pass
            except Exception:  # the top of the loop: whatever it was, the rows are kept
                log.exception("reports could not be sent")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()

    async def send_due(self) -> bool:
        """Send a batch; tell whether there was something that went."""
        async with self.database.transaction() as session:
            waiting = await ReportStore(session, self.seal).claim(self.clock(), BATCH)
        went, away = False, set[str]()
        for each in waiting:
            try:
                sent = each.province not in away and await self._send(each)
            except BrokerAwayError as error:
                log.warning("%s: reports wait: %s", each.province, error)
                away.add(each.province)
                sent = False
            if sent:
                went = True
            else:
                await self._put_off(each)
        return went

    async def _send(self, waiting: WaitingReport) -> bool:
        """Send one report; False if it has to wait. Raises BrokerAwayError."""
        line = self.lines.get(waiting.province)
        if line is None:
            log.error("%s is not among the provinces of this console; its reports wait", waiting.province)
            return False
        try:
            report = (await self._with_files(line, waiting)).report
        except FileRefusedError as error:
            if error.later:
                log.warning("%s: a file waits: %s", waiting.province, error.code)
                return False
            await self._give_up(waiting, error)
            return True
        await line.send(report)
        async with self.database.transaction() as session:
            await ReportStore(session, self.seal).sent(report.id, self.clock())
        return True

    async def _with_files(self, line: Line, waiting: WaitingReport) -> WaitingReport:
        """Put up the files of an answer; one that is up already is not put up again."""
        references = []
        for file in waiting.files:
            reference = file.reference
            if reference is None:
                reference = await line.put_up(waiting.report.tracking_code, file.name, file.content)
                async with self.database.transaction() as session:
                    await ReportStore(session, self.seal).keep_reference(waiting.report.id, file, reference)
            references.append(reference.model_dump())
        if not references:
            return waiting
        return replace(waiting, report=replace(waiting.report, data=waiting.report.data | {"files": references}))

    async def _give_up(self, waiting: WaitingReport, error: FileRefusedError) -> None:
        """Undo an answer whose file the desk does not take, and say so on the case."""
        log.warning("%s: a file of an answer is refused: %s", waiting.province, error.code)
        now, report = self.clock(), waiting.report
        async with self.database.transaction() as session:
            cases = CaseStore(session, self.seal, self.calendar)
            known = await cases.get(waiting.province, report.tracking_code, lock=True)
            undone = await ReportStore(session, self.seal).refused(report.id, error.code)
            if known is None or undone is None:
                return
            await cases.save(known.case.undone(report.id, undone.before, foreign=False))
            line = Entry(f"{report.id}/refused", now, FILE_REFUSED, text=error.title or error.code)
            await cases.add_entry(known.case, line, now)

    async def _put_off(self, waiting: WaitingReport) -> None:
        async with self.database.transaction() as session:
            await ReportStore(session, self.seal).put_off(waiting.report.id, self.clock())
