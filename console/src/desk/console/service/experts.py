"""The use cases of experts: list cases, claim one, answer, ask, refer, reject."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from desk.console import events
from desk.console.clients import DeskClients
from desk.console.domain.accounts import Account
from desk.console.domain.cases import Case, day_of, validate_days, validate_text
from desk.console.domain.errors import CaseErasedError, CaseNotHereError, ConsoleError, NotFoundError, OwnAnswerError
from desk.console.domain.states import Kind, State
from desk.console.encryption import Encryption
from desk.console.service.views import CaseView, Page
from desk.console.store.accounts import AccountStore
from desk.console.store.audit import AuditStore
from desk.console.store.cases import CaseRecord, CaseStore, HistoryEntry
from desk.console.store.lists import Figures, ListQuery, ListStore
from desk.console.store.reports import NewFile, ReportStore
from desk.console.store.templates import Template, TemplateStore
from desk.database import Database, DatabaseSession
from desk.expert import FileReference, Report, Titled
from desk.iran.jalali import TEHRAN
from desk.iran.workdays import WorkCalendar

FIGURES_CACHED = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Referral:
    """The target of a referral: another province, another subject, or both."""

    province: str
    subject: Titled | None = None
    sub_subject: Titled | None = None


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report of an expert, with its text and files for the history."""

    kind: Kind
    data: dict[str, Any]
    text: str | None = None
    files: Sequence[NewFile] = ()
    days: int | None = None
    """Working days that the applicant has for the answer to a question."""


@dataclass(frozen=True, slots=True)
class Experts:
    """The cases of all provinces, for their experts."""

    database: Database
    encryption: Encryption
    calendar: WorkCalendar
    clients: DeskClients
    clock: Callable[[], datetime]
    _figures: dict[str, tuple[datetime, Figures]] = field(default_factory=dict)

    async def page(self, query: ListQuery) -> Page:
        """Return a page of a list."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.encryption, self.calendar)
            rows, more = await ListStore(session, self.encryption).page(query)
            found = await cases.with_requests(rows)
            holders = [each.case.claim.account for each in found if each.case.claim]
            holders += [each.case.assignee for each in found if each.case.assignee]
            names = await AccountStore(session, self.encryption).names(holders) if holders else {}
            codes = [row.tracking_code for row in rows]
            sending = await ReportStore(session, self.encryption).unsent_codes(query.province, codes)
            return Page(found, names, await cases.sub_subjects(query.province), more, sending)

    async def figures(self, account: Account) -> Figures:
        """Return the figures of the province, cached for ten seconds."""
        now = self.clock()
        counted_at, figures = self._figures.get(account.province, (None, None))
        if counted_at is None or figures is None or now - counted_at > FIGURES_CACHED:
            async with self.database.read() as session:
                figures = await ListStore(session, self.encryption).figures(account.province, now)
            self._figures[account.province] = (now, figures)
        return figures

    async def view(self, province: str, tracking_code: str) -> CaseView:
        """Return a case with everything that its page shows. Raises CaseNotHereError or CaseErasedError."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.encryption, self.calendar)
            record = _require_present(await cases.get(province, tracking_code))
            history = await cases.history(province, tracking_code)
            accounts = [entry.account for entry in history if entry.account]
            if record.case.claim:
                accounts.append(record.case.claim.account)
            if record.case.assignee:
                accounts.append(record.case.assignee)
            return CaseView(
                record,
                history,
                await AccountStore(session, self.encryption).names(accounts) if accounts else {},
                await TemplateStore(session).list_templates(province, record.case.sub_subject),
                await ReportStore(session, self.encryption).list_of_case(province, tracking_code),
            )

    async def open_case(self, account: Account, tracking_code: str) -> None:
        """Record that an account opened a case, and report it to the desk once a day for each account and case.

        Raises CaseNotHereError.
        """
        now = self.clock()
        async with self.database.transaction() as session:
            cases, case = await self._lock_case(session, account, tracking_code)
            await AuditStore(session).add(now, account.province, account.id, "open", tracking_code=tracking_code)
            today = datetime.combine(day_of(now), time.min, TEHRAN)
            if case.open and not await cases.has_entry_since(case, Kind.OPENED, account.id, today):
                await cases.save(await self._report(session, account, case, NewReport(Kind.OPENED, {})))

    async def claim(self, account: Account, tracking_code: str) -> None:
        """Claim a case, or extend the claim.

        Raises CaseNotHereError, CaseNotOpenError, CaseClaimedError, OwnAnswerError or ObjectionForSupervisorError.
        """
        now = self.clock()
        async with self.database.transaction() as session:
            cases, case = await self._lock_case(session, account, tracking_code)
            first = case.holder(now) is None and case.state in {State.NEW, State.OBJECTED}
            claimed = await self._claimed(session, case, account)
            if first:
                claimed = await self._report(session, account, claimed, NewReport(Kind.ASSIGNED, {}))
            if case.holder(now) is None:
                await AuditStore(session).add(now, account.province, account.id, "take", tracking_code=tracking_code)
            await cases.save(claimed)

    async def release(self, account: Account, tracking_code: str) -> None:
        """End a claim; a supervisor may end that of an expert. Raises CaseNotHereError or CaseClaimedError."""
        now = self.clock()
        async with self.database.transaction() as session:
            cases, case = await self._lock_case(session, account, tracking_code)
            await cases.save(case.released(account.id, now, by_supervisor=account.supervisor))
            kind = "release" if case.holder(now) in {None, account.id} else "take_away"
            await AuditStore(session).add(now, account.province, account.id, kind, tracking_code=tracking_code)

    async def answer(self, account: Account, tracking_code: str, text: str, files: Sequence[NewFile] = ()) -> None:
        """Answer a case. Raises FieldError, and the errors of :meth:`claim`."""
        text = validate_text("text", text)
        await self._decide(account, tracking_code, NewReport(Kind.ANSWERED, events.answered(text), text, files))

    async def ask(self, account: Account, tracking_code: str, question: str, days: str = "") -> None:
        """Ask a question that the applicant has so many working days to answer. Raises as :meth:`answer` does."""
        question, term = validate_text("question", question), validate_days(days)
        await self._decide(
            account, tracking_code, NewReport(Kind.ASKED, events.asked(question, term), question, days=term)
        )

    async def reject(self, account: Account, tracking_code: str, reason: str) -> None:
        """Reject a request. Raises as :meth:`answer` does."""
        reason = validate_text("rejection", reason)
        await self._decide(account, tracking_code, NewReport(Kind.REJECTED, events.rejected(reason), reason))

    async def refer(self, account: Account, tracking_code: str, to: Referral, reason: str) -> None:
        """Refer a case. Raises as :meth:`answer` does."""
        reason = validate_text("referral", reason)
        data = events.referred(to.province, reason, to.subject, to.sub_subject)
        await self._decide(account, tracking_code, NewReport(Kind.REFERRED, data, reason))

    async def answer_many(
        self, account: Account, tracking_codes: Sequence[str], text: str
    ) -> tuple[list[str], dict[str, str]]:
        """Answer many cases with one text; return the answered codes, and why the others failed. Raises FieldError."""
        text = validate_text("text", text)
        done, refused = [], {}
        for code in tracking_codes:
            try:
                await self.answer(account, code, text)
            except ConsoleError as error:
                refused[code] = error.title
            else:
                done.append(code)
        return done, refused

    async def templates(self, province: str) -> list[Template]:
        """List a province's templates."""
        async with self.database.read() as session:
            return await TemplateStore(session).list_templates(province)

    async def find_cases(self, province: str, tracking_codes: Sequence[str]) -> list[CaseRecord]:
        """Find several cases; those that the province does not have are left out."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.encryption, self.calendar)
            found = [await cases.get(province, code) for code in tracking_codes]
            return [each for each in found if each is not None and each.request is not None]

    async def province_of(self, tracking_code: str) -> str:
        """Return which of the served provinces has a case now. Raises CaseNotHereError."""
        async with self.database.read() as session:
            found = await CaseStore(session, self.encryption, self.calendar).province_of(tracking_code)
        if found is None:
            raise CaseNotHereError
        return found

    async def newest(self, province: str | None, limit: int) -> list[CaseRecord]:
        """List the newest cases of one province, or of all."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.encryption, self.calendar)
            return await cases.with_requests(await ListStore(session, self.encryption).newest(province, limit))

    async def count_cases(self) -> int:
        """Return the number of cases of all provinces."""
        async with self.database.read() as session:
            return await CaseStore(session, self.encryption, self.calendar).count()

    async def open_file(
        self, account: Account, tracking_code: str, file_id: str
    ) -> tuple[FileReference, AbstractAsyncContextManager[AsyncIterator[bytes]]]:
        """Open a file of the applicant. Raises CaseNotHereError or NotFoundError; reading raises FileRefusedError."""
        view = await self.view(account.province, tracking_code)
        file = view.files.get(file_id)
        if file is None:
            raise NotFoundError
        async with self.database.transaction() as session:
            await AuditStore(session).add(
                self.clock(), account.province, account.id, "file", tracking_code=tracking_code, about=file_id
            )
        return file, self.clients[account.province].open(file)

    async def _lock_case(
        self, session: DatabaseSession, account: Account, tracking_code: str
    ) -> tuple[CaseStore, Case]:
        cases = CaseStore(session, self.encryption, self.calendar)
        record = _require_present(await cases.get(account.province, tracking_code, lock=True))
        return cases, record.case

    async def obstacle(self, account: Account, case: Case) -> ConsoleError | None:
        """Return why an account must not handle a case, for the page; None if it may."""
        async with self.database.read() as session:
            try:
                await self._require_handler(session, case, account)
            except ConsoleError as error:
                return error
        return None

    async def _claimed(self, session: DatabaseSession, case: Case, account: Account) -> Case:
        await self._require_handler(session, case, account)
        return case.claimed_by(account.id, self.clock(), supervisor=account.supervisor)

    async def _require_handler(self, session: DatabaseSession, case: Case, account: Account) -> None:
        if not case.open:
            return
        try:
            case.require_handler(account.id, supervisor=account.supervisor)
        except OwnAnswerError:
            if not account.supervisor:
                raise
            another = await self._another_supervisor(session, account)
            title = OwnAnswerError.ANOTHER_SUPERVISOR if another else OwnAnswerError.NO_OTHER_SUPERVISOR
            raise OwnAnswerError(title) from None

    async def _another_supervisor(self, session: DatabaseSession, account: Account) -> bool:
        accounts = await AccountStore(session, self.encryption).list_accounts(account.province)
        return any(each.supervisor and each.active and each.id != account.id for each in accounts)

    async def _decide(self, account: Account, tracking_code: str, new: NewReport) -> None:
        now = self.clock()
        async with self.database.transaction() as session:
            cases, case = await self._lock_case(session, account, tracking_code)
            decided = await self._report(session, account, await self._claimed(session, case, account), new)
            await cases.save(decided)
            await AuditStore(session).add(now, account.province, account.id, new.kind, tracking_code=tracking_code)

    async def _report(self, session: DatabaseSession, account: Account, case: Case, new: NewReport) -> Case:
        now = self.clock()
        report = Report(str(uuid.uuid4()), new.kind, case.tracking_code, case.report_seq + 1, new.data, now)
        await ReportStore(session, self.encryption).add(case.province, report, case.state, new.files)
        names = tuple(file.name for file in new.files)
        entry = HistoryEntry(report.id, now, new.kind, account.id, new.text, file_names=names)
        await CaseStore(session, self.encryption, self.calendar).add_entry(case, entry, now)
        reported = case.reported(new.kind, report.id, now)
        return reported.asked(new.days, self.calendar) if new.days is not None else reported


def _require_present(record: CaseRecord | None) -> CaseRecord:
    """Return a case whose request is stored. Raises CaseErasedError or CaseNotHereError."""
    if record is not None and record.case.state is State.ERASED:
        raise CaseErasedError
    if record is None or record.request is None:
        raise CaseNotHereError
    return record
