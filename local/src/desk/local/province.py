"""Stands in for all provincial expert systems: hears requests, keeps them, reports back by events like any of them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.app import Worker
from desk.chassis.bus import Broker, Bus, Relay
from desk.chassis.crypto import Vault
from desk.chassis.db import Database, UtcDateTime, new_metadata
from desk.chassis.events import Event, Moment, Outbox, Received, add_event_tables
from desk.chassis.problem import DomainError
from desk.chassis.telemetry import Telemetry
from desk.iran.provinces import PROVINCES
from desk.topology.table import province_queue

_metadata = new_metadata()
add_event_tables(_metadata)
_case = Table(
    "case",
    _metadata,
    Column("tracking_code", String(12), primary_key=True),
    Column("province", String(40), nullable=False, index=True),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("refused", String(40)),
    Column("request", LargeBinary, nullable=False),
)


class CaseNotHereError(DomainError):
    """No province has a request with this code, or not yet."""

    status, code = 404, "case_not_here"
    title = "درخواستی با این کد رهگیری به هیچ استانی نرسیده است."


class AlreadyAnsweredError(DomainError):
    """The case was answered before."""

    status, code = 409, "already_answered"
    title = "به این درخواست پیش‌تر پاسخ داده شده است."


class _Heard(Event):
    """A whole request, read as it is: the page shows what there is."""

    name: ClassVar[str] = "request-submitted"

    tracking_code: str
    submitted_at: Moment
    due_at: Moment
    province: dict[str, str]
    subject: dict[str, str]
    sub_subject: dict[str, str]
    applicant: dict[str, str]
    contact: dict[str, str | None]
    text: str
    attachments: list[dict[str, Any]]
    identity: str = "confirmed"


class _HeardReferred(_Heard):
    name: ClassVar[str] = "request-referred"


class _Refused(Event):
    name: ClassVar[str] = "case-refused"

    tracking_code: str
    reason: str


class _Replied(Event):
    name: ClassVar[str] = "request-replied"

    tracking_code: str
    text: str
    files: list[dict[str, Any]] = Field(default_factory=list)


class _Rated(Event):
    name: ClassVar[str] = "request-rated"

    tracking_code: str


class _Objected(Event):
    name: ClassVar[str] = "request-objected"

    tracking_code: str


class _Overdue(Event):
    name: ClassVar[str] = "request-overdue"

    tracking_code: str


class _Withdrawn(Event):
    name: ClassVar[str] = "request-withdrawn"

    tracking_code: str


class _Received(Event):
    name: ClassVar[str] = "case-received"
    exchange: ClassVar[str] = "desk.cases"

    tracking_code: str
    at: Moment


class _Answered(Event):
    name: ClassVar[str] = "case-answered"
    exchange: ClassVar[str] = "desk.cases"

    tracking_code: str
    at: Moment
    text: str


class _Asked(Event):
    name: ClassVar[str] = "case-info-requested"
    exchange: ClassVar[str] = "desk.cases"

    tracking_code: str
    at: Moment
    question: str


@dataclass(frozen=True, slots=True)
class ProvinceCase:
    """A request as a province's experts see it; ``request`` is the event's data."""

    tracking_code: str
    province: str
    answered: bool
    refused: str | None
    request: dict[str, Any]

    @property
    def due_at(self) -> datetime:
        """Until when the answer is in time."""
        return datetime.fromisoformat(self.request["due_at"])


class Provinces:
    """All 31 provincial systems in one, on a store of their own."""

    def __init__(self, database: Database, broker: Broker, vault: Vault, telemetry: Telemetry) -> None:
        self._database = database
        self._vault = vault
        self._outboxes = {each.key: Outbox(f"/province/{each.key}", vault) for each in PROVINCES}
        self._relay = Relay(database, Outbox("/province", vault), broker, telemetry)
        database.committed.append(self._relay.wake)
        self._buses = [self._listen(each.key, broker, telemetry) for each in PROVINCES]
        self.worker = Worker("province relay", self._relay.run, self._relay.finish)

    def _listen(self, key: str, broker: Broker, telemetry: Telemetry) -> Bus:
        bus = Bus(province_queue(key), self._database, broker, telemetry)
        bus.subscribe(_Heard, self._taker(key))
        bus.subscribe(_HeardReferred, self._taker(key))
        bus.subscribe(_Refused, self._note_refusal)
        bus.subscribe(_Replied, self._take_reply)
        for told in (_Rated, _Overdue):
            bus.subscribe(told, self._take_note)
        bus.subscribe(_Objected, self._open_again)
        bus.subscribe(_Withdrawn, self._note_withdrawal)
        return bus

    async def start(self) -> None:
        """Make the tables on first use and begin to listen."""
        async with self._database.engine.begin() as connection:
            await connection.run_sync(_metadata.create_all)
        for bus in self._buses:
            await bus.start()

    async def close(self) -> None:
        """Close the store."""
        await self._database.close()

    def _taker(self, key: str) -> Callable[[AsyncSession, Received[Any]], Awaitable[None]]:
        async def take(session: AsyncSession, received: Received[Any]) -> None:
            heard: _Heard = received.data
            known = (
                await session.execute(select(_case.c.seq).where(_case.c.tracking_code == heard.tracking_code))
            ).first()
            values = {
                "province": key,
                "seq": 1,
                "answered": False,
                "refused": None,
                "request": self._vault.seal(heard.model_dump_json().encode(), f"case.request:{heard.tracking_code}"),
            }
            if known is None:
                await session.execute(
                    insert(_case).values(**values, tracking_code=heard.tracking_code, submitted_at=heard.submitted_at)
                )
            else:  # referred back and forth: it is this province's now
                await session.execute(
                    update(_case).where(_case.c.tracking_code == heard.tracking_code).values(**values)
                )
            await self._report(session, key, _Received(tracking_code=heard.tracking_code, at=datetime.now(UTC)), seq=1)

        return take

    async def _note_refusal(self, session: AsyncSession, received: Received[_Refused]) -> None:
        refused = received.data
        await session.execute(
            update(_case)
            .where(_case.c.tracking_code == refused.tracking_code)
            .values(refused=refused.reason, answered=False)
        )

    async def _take_reply(self, session: AsyncSession, received: Received[_Replied]) -> None:
        """Keep the applicant's answer with the request, to be shown with it."""
        replied = received.data
        query = select(_case).where(_case.c.tracking_code == replied.tracking_code).with_for_update()
        row = (await session.execute(query)).first()
        if row is None:
            return
        case = self._found(row).request
        case["replies"] = [*case.get("replies", []), {"text": replied.text, "files": replied.files}]
        sealed = self._vault.seal(json.dumps(case).encode(), f"case.request:{replied.tracking_code}")
        await session.execute(
            update(_case).where(_case.c.tracking_code == replied.tracking_code).values(request=sealed)
        )

    @staticmethod
    async def _take_note(session: AsyncSession, received: Received[Any]) -> None:
        """Change nothing: the applicant's words stand in the history."""

    @staticmethod
    async def _open_again(session: AsyncSession, received: Received[_Objected]) -> None:
        code = received.data.tracking_code
        await session.execute(update(_case).where(_case.c.tracking_code == code).values(answered=False))

    @staticmethod
    async def _note_withdrawal(session: AsyncSession, received: Received[_Withdrawn]) -> None:
        code = received.data.tracking_code
        await session.execute(
            update(_case).where(_case.c.tracking_code == code).values(refused="withdrawn", answered=True)
        )

    async def _report(
        self, session: AsyncSession, key: str, event: _Received | _Answered | _Asked, *, seq: int
    ) -> None:
        await self._outboxes[key].add(session, event, subject=event.tracking_code, key=key, seq=seq)

    async def cases(self, province: str | None) -> list[ProvinceCase]:
        """List a province's requests, or all, newest first."""
        query = select(_case).order_by(_case.c.submitted_at.desc()).limit(200)
        if province:
            query = query.where(_case.c.province == province)
        async with self._database.transaction() as session:
            return [self._found(row) for row in (await session.execute(query)).all()]

    async def case(self, tracking_code: str) -> ProvinceCase:
        """Find one request. Raises CaseNotHereError."""
        async with self._locked(tracking_code) as (_, row):
            return self._found(row)

    async def answer(self, tracking_code: str, text: str) -> None:
        """Answer a request, as its province's expert. Raises CaseNotHereError or AlreadyAnsweredError."""
        async with self._locked(tracking_code) as (session, row):
            if row.answered:
                raise AlreadyAnsweredError
            await session.execute(
                update(_case)
                .where(_case.c.tracking_code == tracking_code)
                .values(answered=True, refused=None, seq=row.seq + 1)
            )
            event = _Answered(tracking_code=tracking_code, at=datetime.now(UTC), text=text)
            await self._report(session, row.province, event, seq=row.seq + 1)

    async def ask(self, tracking_code: str, question: str) -> None:
        """Ask the applicant something, as the province's expert. Raises CaseNotHereError or AlreadyAnsweredError."""
        async with self._locked(tracking_code) as (session, row):
            if row.answered:
                raise AlreadyAnsweredError
            await session.execute(
                update(_case).where(_case.c.tracking_code == tracking_code).values(refused=None, seq=row.seq + 1)
            )
            event = _Asked(tracking_code=tracking_code, at=datetime.now(UTC), question=question)
            await self._report(session, row.province, event, seq=row.seq + 1)

    @asynccontextmanager
    async def _locked(self, tracking_code: str) -> AsyncIterator[tuple[AsyncSession, Any]]:
        async with self._database.transaction() as session:
            query = select(_case).where(_case.c.tracking_code == tracking_code).with_for_update()
            row = (await session.execute(query)).first()
            if row is None:
                raise CaseNotHereError
            yield session, row

    def _found(self, row: Any) -> ProvinceCase:
        request = json.loads(self._vault.open(row.request, f"case.request:{row.tracking_code}"))
        return ProvinceCase(row.tracking_code, row.province, row.answered, row.refused, request)
