"""The experts' console in the embedded desk: for all provinces at once, with accounts to try it."""

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

from desk.chassis.bus import Broker, BrokerUnavailableError, ContractError, UnroutableError
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
from desk.expert import HEARD, BrokerAwayError, Catalog, FileReference, Files, Report, Subject, Told, read
from desk.iran.provinces import PROVINCES
from desk.topology.table import CASES, province_queue

PATH = "/demo/expert"
PASSWORD = "namayeshi-1405"  # noqa: S105 - shown on the page: nobody but a trial is behind it
LINKS = (
    ("/demo/messages", "پیام‌های فرستاده‌شده"),
    ("/demo/people", "اشخاص ساختگی"),
    ("/", "صفحهٔ متقاضی"),
)
_NAMES = {Role.EXPERT: "شقایق نمونه", Role.SUPERVISOR: "سامان نمونه"}
_TITLES = {Role.EXPERT: "کارشناس", Role.SUPERVISOR: "سرپرست"}


class EmbeddedClient:
    """A province's way to the desk without a network: the embedded broker, and the library's own calls in process."""

    def __init__(self, province: str, broker: Broker, files: Files, catalog: Catalog) -> None:
        self.consuming = False
        self._province, self._broker, self._files, self._catalog = province, broker, files, catalog

    async def consume(self, handle_event: Callable[[Told], Awaitable[None]]) -> None:
        """Hand over what the desk tells; the broker gives again what was not handled."""

        async def handle(message: Message) -> None:
            try:
                told = read(message.body)
                if told.kind in HEARD:
                    await handle_event(told)
            except ValidationError as error:
                raise ContractError(f"{error.error_count()} faults") from None

        await self._broker.consume(province_queue(self._province), handle)
        self.consuming = True
        await asyncio.Event().wait()

    async def send(self, report: Report) -> None:
        """Publish a report in the province's name. Raises BrokerAwayError."""
        key = f"{report.name}.{self._province}"
        message = Message(
            report.id, CASES, key, report.type, report.body(self._province), sender=f"province.{self._province}"
        )
        try:
            await self._broker.publish(message)
        except (BrokerUnavailableError, UnroutableError) as error:
            raise BrokerAwayError(str(error)) from error

    async def upload(self, tracking_code: str, name: str, content: bytes) -> FileReference:
        """Put up a file for an answer. Raises FileRefusedError."""
        return await self._files.put_up_content(tracking_code, name, content)

    def open(self, file: FileReference) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a file of a case. Raises FileRefusedError."""
        return self._files.open(file)

    async def subjects(self) -> list[Subject]:
        """List the desk's subjects. Raises CatalogAwayError."""
        return await self._catalog.subjects()

    async def close(self) -> None:
        """Close the ways to the door."""
        await self._files.close()
        await self._catalog.close()


@dataclass(frozen=True, slots=True)
class ProvinceKeys:
    """Keys by which the provinces fetch and put up files; they last as long as the process."""

    private: Mapping[str, str]
    public: Mapping[str, str]

    @classmethod
    def new(cls) -> "ProvinceKeys":
        """Make a pair for each province."""
        pairs = {each.key: new_key_pair() for each in PROVINCES}
        return cls({key: pair[0] for key, pair in pairs.items()}, {key: pair[1] for key, pair in pairs.items()})


class Console:
    """The console, and the experts that the demonstration's own routes speak through."""

    def __init__(
        self, *, database_url: str, vault_key: str, broker: Broker, door: ASGIApp, url: str, keys: ProvinceKeys
    ) -> None:
        """``door`` is the desk's public door; ``url`` its address, which nobody really calls."""
        self._url = database_url
        self._parts = Parts(
            Database(database_url),
            Encryption.from_text(vault_key),
            {key: _line(key, broker, door, url, private) for key, private in keys.private.items()},
            Demonstration(_accounts_shown(), PASSWORD, LINKS),
        )
        settings = Settings(
            database_url=SecretStr(database_url),
            keys=SecretStr(vault_key),
            secure_cookies=False,  # served without TLS, on one's own machine
            second_factor=False,
        )
        self.app: FastAPI = create_app(settings, parts=self._parts)
        services: Services = self.app.state.services
        self.experts: Experts = services.experts
        self.mounted = Router(routes=[Mount(PATH, app=self.app)])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make tables and accounts on first use, and run."""
        await migrate("desk.console", self._url)
        await self._add_accounts()
        async with self.app.router.lifespan_context(self.app):
            yield

    async def expert_of(self, province: str) -> Account:
        """Return the account of a province's expert."""
        async with self._parts.database.read() as session:
            found = await AccountStore(session, self._parts.encryption).by_username(province.replace("_", "-"))
        if found is None:
            raise LookupError(province)
        return found[0]

    async def _add_accounts(self) -> None:
        async with self._parts.database.read() as session:
            if await AccountStore(session, self._parts.encryption).list_accounts(PROVINCES[0].key):
                return
        password_hash = await hash_password(PASSWORD)
        async with self._parts.database.transaction() as session:
            accounts = AccountStore(session, self._parts.encryption)
            for account in _accounts():
                await accounts.add(account, password_hash, datetime.now(UTC))


def _line(key: str, broker: Broker, door: ASGIApp, url: str, private_key: str) -> EmbeddedClient:
    transport: dict[str, Any] = {"transport": httpx.ASGITransport(door, raise_app_exceptions=False)}
    return EmbeddedClient(key, broker, Files(url, key, private_key, **transport), Catalog(url, **transport))


def _accounts() -> list[Account]:
    return [
        Account(
            id=f"demo-{role.value}-{each.key}",
            province=each.key,
            username=each.key.replace("_", "-") + ("" if role is Role.EXPERT else ".supervisor"),
            name=_NAMES[role],
            role=role,
            active=True,
            enrolled=False,
            new_password=False,
        )
        for each in PROVINCES
        for role in (Role.EXPERT, Role.SUPERVISOR)
    ]


def _accounts_shown() -> tuple[tuple[str, str], ...]:
    names = {each.key: each.name for each in PROVINCES}
    return tuple((each.username, f"{names[each.province]} — {_TITLES[each.role]}") for each in _accounts())
