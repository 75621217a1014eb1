"""People and offices at the published ports of a desk that runs elsewhere: in containers, or in a cluster.

The fixtures are for the folders of both, whose conftest has a fixture ``published_desk``.
"""

import time
import uuid
from collections.abc import Iterator
from typing import Any, Protocol

import httpx
import pytest
from support.applicant import Applicant
from support.background import BackgroundLoop
from support.province_system import ProvinceSystem
from support.public_gateway import living

DEADLINE_SECONDS = 120.0
PAUSE_SECONDS = 1.0
"""Pause between two attempts of an applicant; attempts are rate limited."""


class PublishedDesk(Protocol):
    """What a test may reach of such a desk."""

    @property
    def url(self) -> str:
        """The address of the gateway."""

    def answer_to(self, captcha_id: str) -> str:
        """Return the digits of a picture from the store of the captcha service."""

    def province_url(self, key: str) -> str:
        """Return the broker's address for a province."""

    def event_keys(self, key: str) -> tuple[str, str]:
        """Return an office's private key for events, and the desk's public one."""


class RetryingApplicant(Applicant):
    """A synthetic person at the port of the gateway, who retries until there is a code."""

    def __init__(self, desk: PublishedDesk, place: int) -> None:
        """``place`` is an index into the living synthetic people."""
        self.client = httpx.Client(base_url=desk.url, timeout=30)
        self.desk = desk
        someone = living()[place].identity
        self.person = {
            "national_id": someone.national_id.value,
            "birth_date": someone.birth_date.isoformat(),
            "last_name": someone.last_name,
        }
        self.token = ""

    def captcha(self, purpose: str) -> dict[str, str]:
        challenge = self.client.post("/api/captchas", json={"purpose": purpose, "kind": "image"})
        assert challenge.status_code == httpx.codes.CREATED, challenge.text
        return {"id": challenge.json()["id"], "answer": self.desk.answer_to(challenge.json()["id"])}

    def submit(self, content: bytes, **changed: object) -> str:
        """Send a request and a file with one key, and retry until there is a code."""
        key, end, responses = str(uuid.uuid4()), time.monotonic() + DEADLINE_SECONDS, list[str]()
        form: dict[str, Any] | None = None
        while time.monotonic() < end:
            try:
                form = form or self._form_with(content, **changed)
                answer = self.send(form, key)
            except (httpx.TransportError, AssertionError) as trouble:
                responses.append(str(trouble))
            else:
                if answer.status_code == httpx.codes.CREATED:
                    return str(answer.json()["tracking_code"])
                responses.append(answer.text)
                if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
                    assert answer.json()["code"] == "captcha_expired", answer.text
                    form = None
            time.sleep(PAUSE_SECONDS)
        raise AssertionError(f"no code within {DEADLINE_SECONDS:.0f} s; the last answers: {responses[-3:]}")

    def _form_with(self, content: bytes, **changed: object) -> dict[str, Any]:
        if not self.token:
            self.identify()
        form = self.form(**changed)  # first the code: without one, the file would be uploaded again and again
        return form | {"attachments": [self.upload("گذرنامه.pdf", content)]}


class Province(ProvinceSystem):
    """The system of a province at the published port of the broker, with its own event loop."""

    def __init__(self, desk: PublishedDesk, key: str) -> None:
        self.loop = BackgroundLoop()
        private_key, desk_key = desk.event_keys(key)
        super().__init__(self.loop, desk.province_url(key), key, private_key=private_key, desk_key=desk_key)

    def close(self) -> None:
        super().close()
        self.loop.close()


@pytest.fixture(scope="session")
def province(published_desk: PublishedDesk) -> Iterator[Province]:
    """The province that receives every request unless a test chooses another."""
    running = Province(published_desk, "isfahan")
    yield running
    running.close()


@pytest.fixture(scope="session")
def applicant(published_desk: PublishedDesk) -> Iterator[RetryingApplicant]:
    """One person for all tests, because look-ups of names are limited."""
    someone = RetryingApplicant(published_desk, 1)
    yield someone
    someone.client.close()
