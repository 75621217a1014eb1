"""One run: a page, a security code, a submission, and a look-up until the request is found."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel, ValidationError

from desk.chassis.crypto import TokenIssuer
from desk.probe.settings import Settings

NAME = "probe"
"""The issuer of the assertions."""
AUDIENCES = {"requests": "desk.probe.intake", "tracking": "desk.probe.tracking"}
ASSERTION_SECONDS = 60
CALL_SECONDS = 10.0
PAUSE_SECONDS = 0.5
NOT_FOUND = 404


class ProbeFailedError(Exception):
    """A step failed. The message names it and the reason."""


class _Submitted(BaseModel):
    tracking_code: str


@dataclass(slots=True)
class Run:
    """The steps of one run and how long they took."""

    client: httpx.AsyncClient
    issuer: TokenIssuer
    report: Callable[[str], None]
    """Is given a line for each step."""
    _started: float = field(default_factory=time.monotonic)

    async def steps(self) -> None:
        """Run all steps. Raises ProbeFailedError."""
        await self._step("page", self._page())
        await self._step("security code", self._security_code())
        code = await self._step("submission", self._submit())
        await self._step("look-up", self._find(code))
        self.report(f"all steps: {time.monotonic() - self._started:.2f} s")

    async def _step(self, name: str, work: Awaitable[str]) -> str:
        started = time.monotonic()
        try:
            result = await work
        except httpx.HTTPStatusError as error:
            raise ProbeFailedError(f"{name}: the desk answered {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise ProbeFailedError(f"{name}: no answer: {type(error).__name__}") from error
        except ValidationError as error:
            raise ProbeFailedError(f"{name}: the answer is not the one of this route") from error
        self.report(f"{name}: {time.monotonic() - started:.2f} s")
        return result

    async def _page(self) -> str:
        return (await self.client.get("/")).raise_for_status().text

    async def _security_code(self) -> str:
        """Get a challenge as the page does. It is not solved: no program may."""
        body = {"purpose": "submit", "kind": "image"}
        return (await self.client.post("/api/captchas", json=body)).raise_for_status().text

    async def _submit(self) -> str:
        answer = (await self._call("requests")).raise_for_status()
        return _Submitted.model_validate_json(answer.content).tracking_code

    async def _find(self, tracking_code: str) -> str:
        """Ask until the event of the request has arrived."""
        while True:
            answer = await self._call("tracking", tracking_code=tracking_code)
            if answer.status_code != NOT_FOUND:
                return _Submitted.model_validate_json(answer.raise_for_status().content).tracking_code
            await asyncio.sleep(PAUSE_SECONDS)

    async def _call(self, route: str, **body: str) -> httpx.Response:
        assertion, _ = self.issuer.issue({}, audience=AUDIENCES[route], seconds=ASSERTION_SECONDS)
        headers = {"Authorization": f"Bearer {assertion}"}
        return await self.client.post(f"/api/probe/{route}", json=body, headers=headers)


async def run(settings: Settings, report: Callable[[str], None]) -> None:
    """Run once, within the time of the settings. Raises ProbeFailedError."""
    issuer = TokenIssuer(settings.private_key.get_secret_value(), NAME)
    try:
        async with asyncio.timeout(settings.seconds), _client(settings) as client:
            await Run(client, issuer, report).steps()
    except TimeoutError:
        raise ProbeFailedError(f"not complete after {settings.seconds:g} s") from None


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    host = settings.host.partition(",")[0].strip()
    headers = {"Host": host} if host else {}
    async with httpx.AsyncClient(base_url=settings.url, headers=headers, timeout=CALL_SECONDS) as client:
        yield client
