"""registry-gateway under test: its app, a client of it, and a registry that counts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters.simulator import SimulatedRegistry
from desk.registry_gateway.app import Parts, create_app
from desk.registry_gateway.domain import Verdict
from desk.registry_gateway.settings import Settings
from desk.testing.service_keys import InternalAuth

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
