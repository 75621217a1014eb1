"""The use cases of headquarters: late answers of other offices, take-overs, comments, silent offices."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from stdnum import damm

from desk.console import events
from desk.console.domain.accounts import Account
from desk.console.domain.cases import Case, validate_text
from desk.console.domain.errors import FieldError, NotFoundError
from desk.console.domain.states import Kind, Stage, State
from desk.console.encryption import Encryption
from desk.console.store.audit import AuditStore
from desk.console.store.cases import CaseStore, HistoryEntry
from desk.console.store.escalations import EscalationStore
from desk.console.store.reports import RefusedReport, ReportStore
from desk.database import Database
from desk.expert import Escalation, Report, Silence
from desk.iran.digits import bare
from desk.iran.workdays import WorkCalendar

CODE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Overview:
    """What headquarters is notified of, and its own reports on cases of other offices that the desk refused."""

    escalations: list[Escalation]
    silent: list[Silence]
    refused: list[RefusedReport]


@dataclass(frozen=True, slots=True)
class Headquarters:
    """The use cases of headquarters. The caller checks that the account belongs to it."""

    database: Database
    encryption: Encryption
    calendar: WorkCalendar
    clock: Callable[[], datetime]

    async def overview(self, account: Account) -> Overview:
        """Return the open notices, and the latest refused reports."""
        async with self.database.read() as session:
            store = EscalationStore(session)
            reports = ReportStore(session, self.encryption)
            return Overview(
                await store.open_ones(),
                await store.silent_offices(),
                await reports.refused_of_kinds(account.province, (Kind.TAKEN_OVER, Kind.COMMENTED)),
            )

    async def take_over(self, account: Account, tracking_code: str, reason: str) -> None:
        """Take a case over from its office; its request arrives as an event. Raises FieldError."""
        reason = validate_text("reason", reason)
        await self._report(account, tracking_code, Kind.TAKEN_OVER, events.taken_over(reason), reason)

    async def comment(self, account: Account, tracking_code: str, text: str) -> None:
        """Send a comment to the office of a case. Raises FieldError."""
        text = validate_text("comment", text)
        await self._report(account, tracking_code, Kind.COMMENTED, events.commented(text), text)

    async def close(self, account: Account, tracking_code: str) -> None:
        """Remove an escalation from the list. Raises NotFoundError."""
        async with self.database.transaction() as session:
            if not await EscalationStore(session).close(tracking_code, self.clock()):
                raise NotFoundError
            await self._audit(AuditStore(session), account, "close_escalation", tracking_code)

    async def close_silence(self, account: Account, office: str) -> None:
        """Remove the notice of a silent office. Raises NotFoundError."""
        async with self.database.transaction() as session:
            if not await EscalationStore(session).close_silence(office, self.clock()):
                raise NotFoundError
            await AuditStore(session).add(self.clock(), account.province, account.id, "close_silence", about=office)

    async def _report(
        self, account: Account, tracking_code: str, kind: Kind, data: dict[str, object], text: str
    ) -> None:
        code, now = valid_code(tracking_code), self.clock()
        async with self.database.transaction() as session:
            cases = CaseStore(session, self.encryption, self.calendar)
            case = await cases.find_or_create_locked(Case(account.province, code))
            if case.stage in {Stage.OPEN, Stage.ASKED}:
                raise FieldError("code", "این درخواست نزد ستاد است؛ آن را در فهرست درخواست‌ها باز کنید.")
            if case.state is State.ERASED:
                raise FieldError("code", "دادهٔ این درخواست پاک شده است و کاری دربارهٔ آن ممکن نیست.")
            report = Report(str(uuid.uuid4()), kind, code, case.report_seq + 1, data, now)
            await ReportStore(session, self.encryption).add(account.province, report, case.state)
            await cases.add_entry(case, HistoryEntry(report.id, now, kind, account.id, text), now)
            await cases.save(case.reported(kind, report.id, now))
            await self._audit(AuditStore(session), account, kind, code)

    async def _audit(self, log: AuditStore, account: Account, kind: str, tracking_code: str) -> None:
        await log.add(self.clock(), account.province, account.id, kind, tracking_code=tracking_code)


def valid_code(text: str) -> str:
    """Return a tracking code in plain digits. Raises FieldError."""
    code = bare(text)
    if len(code) != CODE_DIGITS or not code.isdigit() or not damm.is_valid(code):
        raise FieldError("code", "کد پیگیری دوازده‌رقمی را از روی رسید بنویسید.")
    return code
