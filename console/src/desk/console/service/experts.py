"""What experts do: look through cases, hold one at a time, answer, ask, refer, reject."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from desk.console import events
from desk.console.domain.accounts import Account
from desk.console.domain.cases import Case, Kind, State, written
from desk.console.domain.errors import CaseNotHereError, ConsoleError, NotFoundError
from desk.console.line import Lines
from desk.console.seal import Seal
from desk.console.store.accounts import AccountStore
from desk.console.store.cases import CaseStore, Entry, KnownCase, SubSubject
from desk.console.store.desk import DeedStore, Template, TemplateStore
from desk.console.store.lists import Figures, ListStore, Wanted
from desk.console.store.reports import NewFile, ReportStore, SentReport
from desk.database import Database
from desk.expert import FileReference, Report, Titled
from desk.iran.workdays import WorkCalendar

FIGURES_KEPT = timedelta(seconds=10)
USUAL = timedelta(seconds=15)
"""How long a report may take to reach the desk without a word about it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. ``names`` are of those who hold cases."""

    cases: list[KnownCase]
    names: dict[str, str]
    sub_subjects: list[SubSubject]
    more: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything about a case. ``names`` are of all whose accounts stand in it."""

    known: KnownCase
    history: list[Entry]
    names: dict[str, str]
    templates: list[Template]
    reports: list[SentReport] = field(default_factory=list)

    @property
    def files(self) -> dict[str, FileReference]:
        """The applicant's files, by id: those of the request and of replies, to this province or one before."""
        request = self.known.request
        every = [file for line in self.history for file in line.files]
        if request is not None:
            every += [*request.attachments, *(file for step in request.history for file in step.files)]
        return {file.id: file for file in every}

    def unsent(self, now: datetime) -> bool:
        """Return whether something an expert reported takes unusually long to reach the desk."""
        waiting = (each for each in self.reports if not each.sent and each.refused is None)
        return any(each.name != Kind.RECEIVED and now - each.at > USUAL for each in waiting)


@dataclass(frozen=True, slots=True)
class Referral:
    """Where a case is to go: another province, or another subject here or there."""

    province: str
    subject: Titled | None = None
    sub_subject: Titled | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What an expert reports, and what of it stands in the history."""

    kind: Kind
    data: dict[str, Any]
    text: str | None = None
    files: Sequence[NewFile] = ()


@dataclass(frozen=True, slots=True)
class Experts:
    """The cases of provinces in the hands of their experts."""

    database: Database
    seal: Seal
    calendar: WorkCalendar
    lines: Lines
    clock: Callable[[], datetime]
    _figures: dict[str, tuple[datetime, Figures]] = field(default_factory=dict)

    async def page(self, wanted: Wanted) -> Page:
        """Return a page of a list."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.seal, self.calendar)
            rows, more = await ListStore(session, self.seal).page(wanted)
            found = await cases.found(rows)
            holders = [each.case.hold.account for each in found if each.case.hold]
            names = await AccountStore(session, self.seal).names(holders) if holders else {}
            return Page(found, names, await cases.sub_subjects(wanted.province), more)

    async def figures(self, account: Account) -> Figures:
        """Return the province at a glance, as it was a moment ago."""
        now = self.clock()
        counted_at, figures = self._figures.get(account.province, (None, None))
        if counted_at is None or figures is None or now - counted_at > FIGURES_KEPT:
            async with self.database.read() as session:
                figures = await ListStore(session, self.seal).figures(account.province, now)
            self._figures[account.province] = (now, figures)
        return figures

    async def view(self, province: str, tracking_code: str) -> CaseView:
        """Show a case. Raises CaseNotHereError."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.seal, self.calendar)
            known = await cases.get(province, tracking_code)
            if known is None or known.request is None:
                raise CaseNotHereError
            history = await cases.history(province, tracking_code)
            accounts = [line.account for line in history if line.account]
            if known.case.hold:
                accounts.append(known.case.hold.account)
            return CaseView(
                known,
                history,
                await AccountStore(session, self.seal).names(accounts) if accounts else {},
                await TemplateStore(session).of_province(province, known.case.sub_subject),
                await ReportStore(session, self.seal).of_case(province, tracking_code),
            )

    async def take(self, account: Account, tracking_code: str) -> None:
        """Take a case, or keep it longer. Raises CaseNotHereError, CaseNotOpenError or CaseHeldError."""
        now = self.clock()
        async with self.database.transaction() as session:
            cases, case = await self._locked(session, account, tracking_code)
            begun = case.holder(now) is None and case.state in {State.NEW, State.OBJECTED}
            taken = case.taken(account.id, now)
            if begun:
                taken = await self._report(session, account, taken, Said(Kind.ASSIGNED, {}))
            if case.holder(now) is None:
                await DeedStore(session).add(now, account.province, account.id, "take", tracking_code=tracking_code)
            await cases.save(taken)

    async def release(self, account: Account, tracking_code: str) -> None:
        """Let go of a case; a supervisor may take it from somebody. Raises CaseNotHereError or CaseHeldError."""
        now = self.clock()
        async with self.database.transaction() as session:
            cases, case = await self._locked(session, account, tracking_code)
            await cases.save(case.released(account.id, now, by_supervisor=account.supervisor))
            kind = "release" if case.holder(now) in {None, account.id} else "take_away"
            await DeedStore(session).add(now, account.province, account.id, kind, tracking_code=tracking_code)

    async def answer(self, account: Account, tracking_code: str, text: str, files: Sequence[NewFile] = ()) -> None:
        """Answer. Raises FieldError, CaseNotHereError, CaseNotOpenError or CaseHeldError."""
        text = written("text", text)
        await self._decide(account, tracking_code, Said(Kind.ANSWERED, events.answered(text), text, files))

    async def ask(self, account: Account, tracking_code: str, question: str) -> None:
        """Ask the applicant something. Raises as :meth:`answer` does."""
        question = written("question", question)
        await self._decide(account, tracking_code, Said(Kind.ASKED, events.asked(question), question))

    async def reject(self, account: Account, tracking_code: str, reason: str) -> None:
        """Say that a request cannot be granted. Raises as :meth:`answer` does."""
        reason = written("rejection", reason)
        await self._decide(account, tracking_code, Said(Kind.REJECTED, events.rejected(reason), reason))

    async def refer(self, account: Account, tracking_code: str, to: Referral, reason: str) -> None:
        """Hand a case on. Raises as :meth:`answer` does."""
        reason = written("referral", reason)
        data = events.referred(to.province, reason, to.subject, to.sub_subject)
        await self._decide(account, tracking_code, Said(Kind.REFERRED, data, reason))

    async def answer_many(
        self, account: Account, tracking_codes: Sequence[str], text: str
    ) -> tuple[list[str], dict[str, str]]:
        """Give many cases one answer; return which have it, and why the others have not. Raises FieldError."""
        text = written("text", text)
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
            return await TemplateStore(session).of_province(province)

    async def known(self, province: str, tracking_codes: Sequence[str]) -> list[KnownCase]:
        """Find several cases; those that are not here are left out."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.seal, self.calendar)
            found = [await cases.get(province, code) for code in tracking_codes]
            return [each for each in found if each is not None and each.request is not None]

    async def province_of(self, tracking_code: str) -> str:
        """Tell which of the served provinces has a case now. Raises CaseNotHereError."""
        async with self.database.read() as session:
            found = await CaseStore(session, self.seal, self.calendar).province_of(tracking_code)
        if found is None:
            raise CaseNotHereError
        return found

    async def newest(self, province: str | None, most: int) -> list[KnownCase]:
        """List the newest cases, of one province or of all."""
        async with self.database.read() as session:
            cases = CaseStore(session, self.seal, self.calendar)
            return await cases.found(await ListStore(session, self.seal).newest(province, most))

    async def open_file(
        self, account: Account, tracking_code: str, file_id: str
    ) -> tuple[FileReference, AbstractAsyncContextManager[AsyncIterator[bytes]]]:
        """Open a file of the applicant's. Raises CaseNotHereError or NotFoundError; reading it, FileRefusedError."""
        view = await self.view(account.province, tracking_code)
        file = view.files.get(file_id)
        if file is None:
            raise NotFoundError
        async with self.database.transaction() as session:
            await DeedStore(session).add(
                self.clock(), account.province, account.id, "file", tracking_code=tracking_code, about=file_id
            )
        return file, self.lines[account.province].open(file)

    async def _locked(self, session: AsyncSession, account: Account, tracking_code: str) -> tuple[CaseStore, Case]:
        cases = CaseStore(session, self.seal, self.calendar)
        known = await cases.get(account.province, tracking_code, lock=True)
        if known is None or known.request is None:
            raise CaseNotHereError
        return cases, known.case

    async def _decide(self, account: Account, tracking_code: str, said: Said) -> None:
        now = self.clock()
        async with self.database.transaction() as session:
            cases, case = await self._locked(session, account, tracking_code)
            decided = await self._report(session, account, case.taken(account.id, now), said)
            await cases.save(decided)
            await DeedStore(session).add(now, account.province, account.id, said.kind, tracking_code=tracking_code)

    async def _report(self, session: AsyncSession, account: Account, case: Case, said: Said) -> Case:
        now = self.clock()
        report = Report(str(uuid.uuid4()), said.kind, case.tracking_code, case.report_seq + 1, said.data, now)
        await ReportStore(session, self.seal).add(case.province, report, case.state, said.files)
        names = tuple(file.name for file in said.files)
        line = Entry(report.id, now, said.kind, account.id, said.text, file_names=names)
        await CaseStore(session, self.seal, self.calendar).add_entry(case, line, now)
        return case.reported(said.kind, report.id, now)
