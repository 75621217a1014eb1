import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Row, select

from desk.chassis.crypto import TokenReader, new_key_pair, new_secret
from desk.chassis.db import migrate
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters.simulator import Person, SimulatedRegistry, people
from desk.registry_gateway.app import Parts, create_app, real_parts
from desk.registry_gateway.domain import Answer
from desk.registry_gateway.settings import Settings
from desk.registry_gateway.store import lookup

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()

Post = Callable[..., Awaitable[httpx.Response]]


@dataclass
class SpyRegistry:
    """The simulator, with a record of what reached it, and ways to fail and to hang."""

    failure: Exception | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[NationalId] = field(default_factory=list)
    inner: SimulatedRegistry = field(default_factory=SimulatedRegistry)

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Answer:
        self.asked.append(national_id)
        self.reached.set()
        await self.answering.wait()
        if self.failure is not None:
            raise self.failure
        return await self.inner.look_up(national_id, birth_date)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        adapter="simulator",
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}",
        vault_keys=f"k1:{new_secret()}",
        index_key=new_secret(),
        budget_url="memory://",
        token_private_key=PRIVATE_KEY,
        lookups_per_source="60/hour",
        lookups_per_number="10/hour",
        mismatches_per_number="7/hour",
    )


@pytest.fixture
def registry() -> SpyRegistry:
    spy = SpyRegistry()
    spy.answering.set()
    return spy


@pytest.fixture
def parts(settings: Settings, registry: SpyRegistry) -> Parts:
    real = real_parts(settings)
    return Parts(real.database, registry, real.budgets, real.vault, real.issuer, real.telemetry)


@pytest.fixture
async def app(settings: Settings, parts: Parts) -> AsyncIterator[FastAPI]:
    await migrate("desk.registry_gateway", settings.database_url.get_secret_value())
    app = create_app(settings, parts=parts)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def post(app: FastAPI) -> Post:
    async def post(body: Any, *, source: str = "198.51.100.7") -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(source, 40000), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            return await client.post("/api/identities", json=body)

    return post


@pytest.fixture
def audit(parts: Parts) -> Callable[[], Awaitable[list[Row[Any]]]]:
    async def audit() -> list[Row[Any]]:
        async with parts.database.transaction() as session:
            return list((await session.execute(select(lookup).order_by(lookup.c.at))).all())

    return audit


@pytest.fixture
def tokens() -> TokenReader:
    return TokenReader(PUBLIC_KEY, issuer="registry-gateway", audience="desk.identity")


@pytest.fixture
def living() -> Person:
    return next(person for person in people() if not person.deceased)


@pytest.fixture
def deceased() -> Person:
    return next(person for person in people() if person.deceased)


@pytest.fixture
def ask() -> Callable[..., dict[str, str]]:
    """Return the body that asks for a person, with other values where the test gives them."""

    def ask(person: Person, **other: str) -> dict[str, str]:
        return {
            "national_id": person.identity.national_id.value,
            "birth_date": person.identity.birth_date.isoformat(),
            **other,
        }

    return ask


@pytest.fixture
def wrong(living: Person, ask: Callable[..., dict[str, str]]) -> dict[str, str]:
    """Return a real number with a birth date that is not its own."""
    return ask(living, birth_date="1350-01-01")


@pytest.fixture
def unknown(wrong: dict[str, str]) -> dict[str, str]:
    """Return a well-formed number that nobody has."""
    return wrong | {"national_id": "8275737168"}
