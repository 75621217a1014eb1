"""The services and stores that intake uses, with behaviour that a test chooses."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterable
from typing import Any, BinaryIO

import httpx

from desk.chassis.bus import BrokerUnavailableError, Consumer
from desk.chassis.events import Message
from desk.chassis.storage import FolderStore, ObjectStoreUnavailableError
from desk.files.scanner import ScannerUnavailableError
from desk.testing.hostile_files import EICAR


class FakeCaptcha:
    """A captcha service: a right answer is used up by its claim. A test may override its responses."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.claims: dict[str, str] = {}
        self.mobiles: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.override: httpx.Response | Exception | None = None

    def issue(self, answer: str = "12345") -> dict[str, str]:
        """Return a new challenge with its right answer, as in the form."""
        captcha_id = uuid.uuid4().hex[:22]
        self.answers[captcha_id] = answer
        return {"id": captcha_id, "answer": answer}

    def send_code(self, mobile: str, answer: str = "54321") -> dict[str, str]:
        """Return a new code by SMS for a mobile (E.164), as in the form."""
        code = self.issue(answer)
        self.mobiles[code["id"]] = mobile
        return code

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        given = json.loads(request.content)
        self.asked.append(given)
        if request.url.path == "/internal/mobile-codes" and self.override is None:
            sent = self.send_code(given["mobile"])
            return httpx.Response(201, json={"id": sent["id"], "kind": "sms", "expires_at": "2026-12-13T11:05:00Z"})
        if isinstance(self.override, Exception):
            raise self.override
        if self.override is not None:
            return self.override
        captcha_id = request.url.path.removeprefix("/internal/captchas/").removesuffix("/answers")
        mobile = self.mobiles.get(captcha_id)
        is_its_purpose = given["purpose"] == ("submit" if mobile is None else "mobile")
        if captcha_id not in self.answers or not is_its_purpose or given.get("mobile") != mobile:
            return refusal("captcha_expired")
        right = given["answer"] == self.answers[captcha_id]
        if captcha_id in self.claims:
            return (
                httpx.Response(204)
                if right and self.claims[captcha_id] == given["claim"]
                else refusal("captcha_expired")
            )
        if not right:
            return refusal("captcha_wrong")
        self.claims[captcha_id] = given["claim"]
        return httpx.Response(204)


class FakeRegistry:
    """A registry-gateway that returns the answer of the test and records the look-ups."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | httpx.Response | Exception = {"outcome": "unavailable"}
        self.asked: list[dict[str, Any]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path in {"/internal/identities", "/internal/office-identities"}
        self.asked.append(json.loads(request.content))
        await self.hold.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, httpx.Response) else httpx.Response(200, json=self.answer)


def refusal(code: str) -> httpx.Response:
    return httpx.Response(422, json={"code": code}, headers={"content-type": "application/problem+json"})


class RecordingBroker:
    """A broker that records what was published, and can be unavailable."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.down = False
        self.got_one = asyncio.Event()

    async def publish(self, message: Message) -> None:
        if self.down:
            raise BrokerUnavailableError
        self.published.append(message)
        self.got_one.set()

    async def consume(self, queue: str, consumer: Consumer) -> None:
        assert queue == "intake"
        self.deliver = consumer

    async def drain(self) -> None: ...

    async def close(self) -> None: ...

    def alive(self) -> bool:
        return True


class FakeObjectStore(FolderStore):
    """An object store in a folder that can be unavailable."""

    down = False

    async def put(self, key: str, content: BinaryIO, size: int, media_type: str) -> None:
        self._require_up()
        await super().put(key, content, size, media_type)

    async def delete(self, key: str) -> None:
        self._require_up()
        await super().delete(key)

    async def list_keys(self, prefix: str, *, after: str, limit: int) -> list[str]:
        self._require_up()
        return await super().list_keys(prefix, after=after, limit=limit)

    def _require_up(self) -> None:
        if self.down:
            raise ObjectStoreUnavailableError("down")


class FakeScanner:
    """A malware scanner that knows EICAR's test text, and can be unavailable."""

    def __init__(self) -> None:
        self.down = False
        self.examined = 0
        self.known = [EICAR]

    async def find_malware(self, chunks: AsyncIterable[bytes]) -> str | None:
        if self.down:
            raise ScannerUnavailableError("down")
        content = b"".join([chunk async for chunk in chunks])
        self.examined += 1
        return "Eicar" if any(known in content for known in self.known) else None
