"""Applicants and visitors of a website, in a process of their own, so that they share nothing with what is measured.

Each has its own address behind the gateway, which trusts headers of this machine. Security codes are read from Redis.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, ParamSpec, TypeVar

import aiohttp
from altcha.v2 import Challenge, ChallengeParameters, solve_challenge
from redis.asyncio import Redis

PARALLEL = 8
TYPING_SECONDS = 1.0
"""From the picture of a code until the form is sent, when applicants arrive at a rate."""
RETRY_PAUSES = (1.0, 2.0, 4.0, 8.0)
CREATED, OK, UNAVAILABLE = 201, 200, 503

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Applicant:
    """A person who is known to the desk by an identity token."""

    number: int
    national_id: str
    birth_date: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The desk: its public address, and the store of its security codes."""

    url: str
    redis_url: str


class Process:
    """Runs functions of this module in another process."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what the function returns there."""
        return self._pool.submit(work, *args, **kwargs).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


class Client:
    """What applicants send to the desk."""

    def __init__(self, target: Target, http: aiohttp.ClientSession, redis: Redis) -> None:
        self._target, self._http, self._redis = target, http, redis

    async def identify(self, applicant: Applicant) -> None:
        """Look the name up, with a proof of work."""
        work = await self.issue(applicant.number, "identity", "work")
        solution = solve_challenge(Challenge(ChallengeParameters.from_dict(work["challenge"])))
        if solution is None:
            raise SystemExit("a proof of work has no solution")
        proof = {"id": work["id"], "solution": solution.derived_key}
        person = {"national_id": applicant.national_id, "birth_date": applicant.birth_date, "proof": proof}
        await self._post(applicant.number, "/api/identities", person, OK)

    async def issue(self, number: int, purpose: str, kind: str) -> dict[str, Any]:
        """Get a challenge."""
        return await self._post(number, "/api/captchas", {"purpose": purpose, "kind": kind}, CREATED)

    async def code(self, number: int, purpose: str) -> dict[str, str]:
        """Get a security code and read it."""
        captcha_id = (await self.issue(number, purpose, "image"))["id"]
        answer = await self._redis.hget(f"captcha:{captcha_id}", "answer")
        if not isinstance(answer, bytes):
            raise SystemExit("the store has no answer of a security code")
        return {"id": captcha_id, "answer": answer.decode()}

    async def submit(self, applicant: Applicant) -> str:
        """Send a request with a new security code; return its tracking code."""
        return await self.send(applicant, await self.code(applicant.number, "submit"))

    async def send(self, applicant: Applicant, code: dict[str, str]) -> str:
        """Send a request; return its tracking code."""
        form = {
            "province": "isfahan",
            "mobile": f"0912{applicant.number:07}",
            "email": f"applicant{applicant.number}@example.com",
            "subject": "umrah",
            "sub_subject": "umrah_visa",
            "text": "سلام، روادید عمرهٔ من چه زمانی صادر می‌شود؟",
            "attachments": [],
            "again": True,
            "captcha": code,
        }
        headers = {"Authorization": f"Bearer {applicant.token}", "Idempotency-Key": str(uuid.uuid4())}
        return str((await self._post(applicant.number, "/api/requests", form, CREATED, headers))["tracking_code"])

    async def track(self, applicant: Applicant, tracking_code: str) -> None:
        """Look a request up with a new security code."""
        code = await self.code(applicant.number, "track")
        query = {"national_id": applicant.national_id, "tracking_code": tracking_code, "captcha": code}
        await self._post(applicant.number, "/api/tracking", query, OK)

    async def get(self, number: int, path: str) -> None:
        """Get a page or a document."""
        async with self._http.get(self._target.url + path, headers=_address(number)) as answer:
            await answer.read()
            _require(answer, OK)

    async def _post(
        self, number: int, path: str, body: dict[str, Any], status: int, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a body and return the response; like a page, try again when the desk is too busy for the moment."""
        given = _address(number) | (headers or {})
        for pause in (*RETRY_PAUSES, None):
            async with self._http.post(self._target.url + path, json=body, headers=given) as answer:
                found: dict[str, Any] = await answer.json(content_type=None)
                if answer.status != UNAVAILABLE or pause is None:
                    break
            await asyncio.sleep(pause)
        _require(answer, status, found)
        return found


def _address(number: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


def _require(answer: aiohttp.ClientResponse, status: int, body: object = "") -> None:
    if answer.status != status:
        raise SystemExit(f"{answer.url.path}: {status} was expected, not {answer.status} {body}")


# what the other process runs


def identify(target: Target, applicants: Sequence[Applicant]) -> None:
    """Identify each applicant."""
    asyncio.run(_with_client(target, lambda client: in_parallel(client.identify, applicants)))


def submit(target: Target, applicants: Sequence[Applicant]) -> list[str]:
    """Send a request of each applicant; return the tracking codes."""
    return asyncio.run(_with_client(target, lambda client: in_parallel(client.submit, applicants)))


def track(target: Target, requests: Sequence[tuple[Applicant, str]]) -> None:
    """Look each request up."""
    asyncio.run(_with_client(target, lambda client: in_parallel(lambda each: client.track(*each), requests)))


def get(target: Target, path: str, count: int) -> None:
    """Get a path ``count`` times, each from another address."""
    asyncio.run(_with_client(target, lambda client: in_parallel(lambda number: client.get(number, path), range(count))))


def issue(target: Target, purpose: str, kind: str, count: int) -> None:
    """Get ``count`` challenges, each from another address."""
    asyncio.run(
        _with_client(
            target, lambda client: in_parallel(lambda number: client.issue(number, purpose, kind), range(count))
        )
    )


def submit_at_rate(target: Target, applicants: Sequence[Applicant], rate: float) -> list[float]:
    """Send requests that arrive at a rate per second, however many are open; return the seconds of each, in order.

    The time of a submission begins when the applicant means to send it, also if this process is late.
    """

    async def arrive(client: Client) -> list[float]:
        began = asyncio.get_running_loop().time()
        return await asyncio.gather(
            *(_submit_at(client, each, began + place / rate) for place, each in enumerate(applicants))
        )

    return asyncio.run(_with_client(target, arrive))


async def _submit_at(client: Client, applicant: Applicant, at: float) -> float:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(at - loop.time())
    code = await client.code(applicant.number, "submit")
    sending = max(at + TYPING_SECONDS, loop.time())
    await asyncio.sleep(sending - loop.time())
    await client.send(applicant, code)
    return loop.time() - sending


async def _with_client(target: Target, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        Redis.from_url(target.redis_url) as redis,
        aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as http,
    ):
        return await work(Client(target, http, redis))


async def in_parallel(work: Callable[[T], Awaitable[R]], items: Sequence[T], parallel: int = PARALLEL) -> list[R]:
    """Work on all items, a few at a time; return the results in their order."""
    found: dict[int, R] = {}
    waiting = iter(enumerate(items))

    async def one_after_another() -> None:
        for place, item in waiting:
            found[place] = await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(one_after_another())
    return [found[place] for place in range(len(items))]
