"""The experts' console in the embedded desk: for all offices, with demo accounts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr, ValidationError
from starlette.routing import Mount, Router
from starlette.types import ASGIApp

from desk.chassis import bus
from desk.chassis.bus import Broker, ContractError, UnroutableError
from desk.chassis.crypto import new_key_pair
from desk.chassis.events import Message
from desk.console.app import Parts, create_app
from desk.console.domain.accounts import Account, Role
from desk.console.encryption import Encryption
from desk.console.routes.dependencies import Demonstration, Services
from desk.console.service.experts import Experts
from desk.console.service.sign_in import hash_password
from desk.console.settings import Settings
from desk.console.store.accounts import AccountStore
from desk.database import Database, migrate
from desk.expert import (
    CONSUMED,
    BrokerUnavailableError,
    CaseEvent,
    Cases,
    CaseStatus,
    Catalog,
    CatalogDrafts,
    Counter,
    DecryptionError,
    DeskKeys,
    Figures,
    FigureSet,
    FileReference,
    Files,
    PrivateKeys,
    Report,
    Subject,
    TextDrafts,
    read,
)
from desk.iran.offices import OFFICES
from desk.local.brokers import Brokers
from desk.topology.table import CASES, office_queue

PATH = "/demo/expert"
PASSWORD = "namayeshi-1405"  # noqa: S105 - shown on the page: it protects synthetic data only
LINKS = (
    ("/demo/messages", "پیام‌های فرستاده‌شده"),
    ("/demo/people", "اشخاص ساختگی"),
    ("/", "صفحهٔ متقاضی"),
)
_NAMES = {Role.EXPERT: "شقایق نمونه", Role.SUPERVISOR: "سامان نمونه"}
_TITLES = {Role.EXPERT: "کارشناس", Role.SUPERVISOR: "سرپرست"}


class EmbeddedClient:
    """A client of the desk without a network: the embedded broker, and the library's HTTP calls in process."""

    def __init__(
        self,
        province: str,
        broker: Broker,
        files: Files,
        catalog: Catalog,
        *,
        figures: Figures,
        catalog_drafts: CatalogDrafts,
        text_drafts: TextDrafts,
        counter: Counter,
        cases: Cases,
        private_keys: PrivateKeys,
        desk_keys: DeskKeys,
    ) -> None:
        self.catalog_drafts, self.text_drafts = catalog_drafts, text_drafts
        self.consuming = False
        self.rejected = 0
        self._province, self._broker, self._files, self._catalog = province, broker, files, catalog
        self._private_keys, self._desk_keys, self._figures = private_keys, desk_keys, figures
        self.counter = counter
        self._cases = cases

    async def consume(self, handle_event: Callable[[CaseEvent], Awaitable[None]]) -> None:
        """Consume the events of the office's queue; an event that was not handled is delivered again."""

        async def handle(message: Message) -> None:
            try:
                event = read(message.body, self._private_keys)
            except (ValidationError, DecryptionError) as error:
                self.rejected += 1
                faults = f"{error.error_count()} faults" if isinstance(error, ValidationError) else str(error)
                raise ContractError(faults) from None
            if event.kind in CONSUMED:
                await handle_event(event)

        await self._broker.consume(office_queue(self._province), handle)
        self.consuming = True
        await asyncio.Event().wait()

    async def send(self, report: Report) -> None:
        """Publish a report in the office's name. Raises BrokerUnavailableError or DeskKeysUnavailableError."""
        key = f"{report.name}.{self._province}"
        body = report.body(self._province, await self._desk_keys.current())
        message = Message(report.id, CASES, key, report.type, body, sender=office_queue(self._province))
        try:
            await self._broker.publish(message)
        except (bus.BrokerUnavailableError, UnroutableError) as error:
            raise BrokerUnavailableError(str(error)) from error

    async def upload(self, tracking_code: str, name: str, content: bytes) -> FileReference:
        """Upload a file for an answer. Raises FileRefusedError."""
        return await self._files.upload_content(tracking_code, name, content)

    def open(self, file: FileReference) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a file of a case. Raises FileRefusedError."""
        return self._files.open(file)

    async def subjects(self) -> list[Subject]:
        """List the desk's subjects. Raises CatalogUnavailableError."""
        return await self._catalog.subjects()

    async def figures(self, first: str | None, last: str | None) -> FigureSet:
        """Return the figures of the office, of all offices for headquarters. Raises FiguresRefusedError."""
        return await self._figures.read(first, last)

    async def find_case(self, tracking_code: str) -> CaseStatus:
        """Return a case of the office, of any office for headquarters. Raises CaseRefusedError."""
        return await self._cases.find(tracking_code)

    async def close(self) -> None:
        """Close the clients."""
        await self.catalog_drafts.close()
        await self.text_drafts.close()
        await self._figures.close()
        await self.counter.close()
        await self._cases.close()
        await self._files.close()
        await self._catalog.close()
        await self._desk_keys.close()


@dataclass(frozen=True, slots=True)
class ProvinceKeys:
    """The offices' keys: for downloads and uploads of files, as long as the process runs, and for events."""

    private: Mapping[str, str]
    public: Mapping[str, str]
    event: Mapping[str, str]
    """The private keys that read events."""

    @classmethod
    def new(cls, event: Mapping[str, str], *, without: str | None = None) -> "ProvinceKeys":
        """Return a new pair for each office but one, and these keys for events."""
        pairs = {each.key: new_key_pair() for each in OFFICES if each.key != without}
        return cls({key: pair[0] for key, pair in pairs.items()}, {key: pair[1] for key, pair in pairs.items()}, event)


class Console:
    """The console, and the experts for the routes of the demonstration."""

    def __init__(
        self,
        *,
        database_url: str,
        vault_key: str,
        brokers: Brokers,
        gateway: ASGIApp,
        url: str,
        keys: ProvinceKeys,
    ) -> None:
        """``gateway`` is the desk's public app, called in process; ``url`` is its address in these calls."""
        self._url = database_url
        self._parts = Parts(
            Database(database_url),
            Encryption.from_text(vault_key),
            {key: _client(key, brokers.of(office_queue(key)), gateway, url, keys) for key in keys.private},
            Demonstration(_accounts_shown(keys), PASSWORD, LINKS),
        )
        settings = Settings(
            database_url=SecretStr(database_url),
            keys=SecretStr(vault_key),
            desk_url=url,
            secure_cookies=False,  # served without TLS, on a developer machine
            second_factor=False,
        )
        self.app: FastAPI = create_app(settings, parts=self._parts)
        services: Services = self.app.state.services
        self.experts: Experts = services.experts
        self.mounted = Router(routes=[Mount(PATH, app=self.app)])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Create tables and accounts on first use, and run."""
        await migrate("desk.console", self._url)
        await self._add_accounts()
        async with self.app.router.lifespan_context(self.app):
            yield

    async def account_for(self, tracking_code: str) -> Account:
        """Return the account that acts on a case: the expert of its province, or the supervisor on an objection."""
        province = await self.experts.province_of(tracking_code)
        case = (await self.experts.view(province, tracking_code)).record.case
        async with self._parts.database.read() as session:
            name = _username(province, Role.SUPERVISOR if case.objection_pending else Role.EXPERT)
            found = await AccountStore(session, self._parts.encryption).by_username(name)
        if found is None:
            raise LookupError(province)
        return found[0]

    async def _add_accounts(self) -> None:
        async with self._parts.database.read() as session:
            accounts = AccountStore(session, self._parts.encryption)
            missing = [each for each in _accounts() if await accounts.by_username(each.username) is None]
        if not missing:
            return
        password_hash = await hash_password(PASSWORD)
        async with self._parts.database.transaction() as session:
            accounts = AccountStore(session, self._parts.encryption)
            for account in missing:
                await accounts.add(account, password_hash, datetime.now(UTC))


def _client(key: str, broker: Broker, gateway: ASGIApp, url: str, keys: ProvinceKeys) -> EmbeddedClient:
    transport: dict[str, Any] = {"transport": httpx.ASGITransport(gateway, raise_app_exceptions=False)}
    return EmbeddedClient(
        key,
        broker,
        Files(url, key, keys.private[key], **transport),
        Catalog(url, **transport),
        figures=Figures(url, key, keys.private[key], **transport),
        catalog_drafts=CatalogDrafts(url, keys.private[key], **transport),
        text_drafts=TextDrafts(url, keys.private[key], **transport),
        counter=Counter(url, key, keys.private[key], **transport),
        cases=Cases(url, key, keys.private[key], **transport),
        private_keys=PrivateKeys([keys.event[key]]),
        desk_keys=DeskKeys(url, **transport),
    )


def _username(province: str, role: Role) -> str:
    return province.replace("_", "-") + ("" if role is Role.EXPERT else ".supervisor")


def _accounts() -> list[Account]:
    return [
        Account(
            id=f"demo-{role.value}-{each.key}",
            province=each.key,
            username=_username(each.key, role),
            name=_NAMES[role],
            role=role,
            active=True,
            enrolled=False,
            new_password=False,
            counter=True,
        )
        for each in OFFICES
        for role in (Role.EXPERT, Role.SUPERVISOR)
    ]


def _accounts_shown(keys: ProvinceKeys) -> tuple[tuple[str, str], ...]:
    names = {each.key: each.name for each in OFFICES if each.key in keys.private}
    return tuple(
        (each.username, f"{names[each.province]} — {_TITLES[each.role]}")
        for each in _accounts()
        if each.province in names
    )
