"""registry-gateway under test: its app, a client of it, and a registry that counts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import fakeredis
import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Row, insert, select
from support.registry_simulator import DEADLINE_SECONDS, PASSWORD, Simulator

from desk.chassis.crypto import new_key_pair, new_secret
from desk.database import Database
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters.simulator import Person, SimulatedRegistry
from desk.registry_gateway.app import Parts, create_app, real_parts
from desk.registry_gateway.domain import Verdict
from desk.registry_gateway.settings import Settings
from desk.registry_gateway.store import ledger_head, lookup
from desk.testing.health import get_health
from desk.testing.service_keys import InternalAuth, key_pair, public_keys

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()
Post = Callable[..., Awaitable[httpx.Response]]


@dataclass
class SpyRegistry:
    """The simulator, which records its calls and can fail, wait or return a fixed verdict."""

    failure: Exception | None = None
    verdict: Verdict | None = None
    """Returned for every person instead of the simulator's answer."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[NationalId] = field(default_factory=list)
    inner: SimulatedRegistry = field(default_factory=SimulatedRegistry)

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Verdict:
        self.asked.append(national_id)
        self.reached.set()
        await self.answering.wait()
        if self.failure is not None:
            raise self.failure
        if self.verdict is not None:
            return self.verdict
        return await self.inner.look_up(national_id, birth_date)

    async def close(self) -> None:
        pass


def new_settings(database_url: str) -> Settings:
    """Return settings of a gateway with the simulated registry, at any hour, without memory."""
    return Settings(
        adapter="simulator",
        opens_at="00:00",
        closes_at="00:00",
        database_url=database_url,
        vault_keys=f"k1:{new_secret()}",
        index_key=new_secret(),
        budget_url="unix://unused",
        service_private_key=key_pair("registry-gateway")[0],
        service_public_keys=public_keys("intake", "tracking"),
        captcha_url="http://captcha",
        require_proof=False,
        token_private_key=PRIVATE_KEY,
        lookups_per_source="60/hour",
        mismatches_per_number="7/hour",
        memory_seconds=0,
    )


def over_http_settings(settings: Settings, simulator: Simulator, adapter: str) -> Settings:
    """Return the settings of a gateway that calls the simulator over HTTP, by ``soap`` or ``rest``."""
    return settings.model_copy(
        update={
            "adapter": adapter,
            "registry_url": f"{simulator.url}/{adapter}",
            "registry_user": "desk",
            "registry_password": SecretStr(PASSWORD),
        }
    )


def parts_with(redis_inside: fakeredis.FakeServer, settings: Settings) -> Parts:
    """Build real parts with a Redis in the process."""
    redis = fakeredis.FakeAsyncRedis(server=redis_inside, max_connections=1000)
    return replace(real_parts(settings), redis=redis)


@asynccontextmanager
async def running_gateway(settings: Settings, parts: Parts) -> AsyncIterator[FastAPI]:
    app = create_app(settings, parts=parts)
    async with app.router.lifespan_context(app):
        yield app


def poster_of(app: FastAPI) -> Post:
    async def post(
        body: Any, *, source: str = "198.51.100.7", path: str = "/api/identities", headers: Any = None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(source, 40000), raise_app_exceptions=False)
        caller = InternalAuth("tracking" if path == "/internal/lookups" else "intake", "registry-gateway")
        async with httpx.AsyncClient(transport=transport, base_url="http://registry", auth=caller) as client:
            return await client.post(path, json=body, headers=headers)

    return post


def body_of(person: Person, **other: str) -> dict[str, str]:
    """Return the body of a look-up of a person, with some values changed."""
    return {
        "national_id": person.identity.national_id.value,
        "birth_date": person.identity.birth_date.isoformat(),
        **other,
    }


async def audit_of(app: FastAPI) -> list[Row[Any]]:
    """Return the look-ups in the ledger of a gateway."""
    async with app.state.services.identities._ledger._database.transaction() as session:
        return list((await session.execute(select(lookup).order_by(lookup.c.seq))).all())


async def metrics_of(app: FastAPI) -> str:
    return (await get_health(app, "/metrics")).text


async def begin_ledger(database: Database) -> None:
    """Write the row with which the migrations leave an empty ledger."""
    async with database.transaction() as session:
        await session.execute(insert(ledger_head).values(id=1, seq=0, row_hash="0" * 64, seal=""))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail at the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - a spy has no event for every count
            await asyncio.sleep(0.01)
