"""Sends the reports of experts to the desk: each of them, and those of a case in order."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from desk.console.clients import DeskClient, DeskClients
from desk.console.encryption import Encryption
from desk.console.store.cases import CaseStore, HistoryEntry
from desk.console.store.reports import Backlog, ReportStore, WaitingReport
from desk.database import Database
from desk.expert import BrokerUnavailableError, DeskKeysUnavailableError, FileRefusedError
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

BATCH_SIZE = 20
FILE_REFUSED = "file-refused"
"""The kind of the history entry of an answer that was not sent because the desk refused a file."""


@dataclass(frozen=True, slots=True)
class ReportSender:
    """Sends reports from the outbox."""

    database: Database
    encryption: Encryption
    calendar: WorkCalendar
    clients: DeskClients
    clock: Callable[[], datetime]

    async def send_due(self) -> bool:
        """Send a batch; return whether a report was sent or given up."""
        async with self.database.transaction() as session:
            waiting = await ReportStore(session, self.encryption).claim(self.clock(), BATCH_SIZE)
        progress, unavailable = False, set[str]()
        for each in waiting:
            try:
                sent = each.province not in unavailable and await self._send(each)
            except (BrokerUnavailableError, DeskKeysUnavailableError) as error:
                log.warning("%s: reports wait: %s", each.province, error)
                unavailable.add(each.province)
                sent = False
            if sent:
                progress = True
            else:
                await self._schedule_retry(each)
        return progress

    async def backlog(self) -> dict[str, Backlog]:
        """Return the unsent reports by province; provinces without any are left out."""
        async with self.database.read() as session:
            return await ReportStore(session, self.encryption).backlog()

    async def _send(self, waiting: WaitingReport) -> bool:
        """Send one report; return False if it has to wait.

        Raises BrokerUnavailableError or DeskKeysUnavailableError.
        """
        client = self.clients.get(waiting.province)
        if client is None:
            log.error("%s is not a province of this console; its reports wait", waiting.province)
            return False
        try:
            report = (await self._with_files(client, waiting)).report
        except FileRefusedError as error:
            if error.later:
                log.warning("%s: a file waits: %s", waiting.province, error.code)
                return False
            await self._undo_answer(waiting, error)
            return True
        await client.send(report)
        async with self.database.transaction() as session:
            await ReportStore(session, self.encryption).mark_sent(report.id, self.clock())
        return True

    async def _with_files(self, client: DeskClient, waiting: WaitingReport) -> WaitingReport:
        """Upload the files of an answer, unless the desk has them."""
        references = []
        for file in waiting.files:
            reference = file.reference
            if reference is None:
                reference = await client.upload(waiting.report.tracking_code, file.name, file.content)
                async with self.database.transaction() as session:
                    await ReportStore(session, self.encryption).set_reference(waiting, file, reference)
            references.append(reference.model_dump())
        if not references:
            return waiting
        return replace(waiting, report=replace(waiting.report, data=waiting.report.data | {"files": references}))

    async def _undo_answer(self, waiting: WaitingReport, error: FileRefusedError) -> None:
        """Revert an answer whose file the desk refused, and add the reason to the history."""
        log.warning("%s: a file of an answer is refused: %s", waiting.province, error.code)
        now, report = self.clock(), waiting.report
        async with self.database.transaction() as session:
            cases = CaseStore(session, self.encryption, self.calendar)
            record = await cases.get(waiting.province, report.tracking_code, lock=True)
            refused = await ReportStore(session, self.encryption).mark_refused(report.id, error.code)
            if record is None or refused is None:
                return
            await cases.save(record.case.undone(report.id, refused.before, foreign=False))
            entry = HistoryEntry(f"{report.id}/refused", now, FILE_REFUSED, text=error.title or error.code)
            await cases.add_entry(record.case, entry, now)

    async def _schedule_retry(self, waiting: WaitingReport) -> None:
        async with self.database.transaction() as session:
            await ReportStore(session, self.encryption).schedule_retry(waiting.report.id, self.clock())
