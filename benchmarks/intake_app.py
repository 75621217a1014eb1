"""Intake as an app in this process: its captcha peer and its broker respond immediately, nothing runs in between."""

import json
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI

from desk.chassis.bus import Consumer
from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, new_key_pair, new_secret
from desk.chassis.events import Message
from desk.chassis.rate_limits import RateLimits
from desk.chassis.storage import FolderStore
from desk.chassis.telemetry import Telemetry
from desk.chassis.tracing import TracedTransport, Tracing
from desk.database import Database, migrate
from desk.files.scanner import NoScanner
from desk.intake.app import IDENTITY_AUDIENCE, IDENTITY_ISSUER, Parts, create_app
from desk.intake.clients import RegistryClient, captcha_client, code_client
from desk.intake.counter_clients import CodeSender, CounterRegistry
from desk.intake.settings import Settings
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.service_keys import key_pair, public_keys

PLENTY = "1000000000/minute"
FORM = {
    "province": "isfahan",
    "mobile": "09120000000",
    "email": "applicant@example.com",
    "subject": "umrah",
    "sub_subject": "umrah_visa",
    "again": True,
    "text": "سلام، روادید عمرهٔ من چه زمانی صادر می‌شود؟ " * 10,
    "attachments": [],
    "captcha": {"id": "a" * 22, "answer": "12345"},
}
PERSON = {
    "sub": "8275737168",
    "birth_date": "1361-12-05",
    "first_name": "نرگس",
    "last_name": "باران‌دشت",
    "gender": "female",
    "status": "matched",
}


class NullBroker:
    """Accepts every event immediately; ``relay_rates.py`` measures the relay."""

    async def publish(self, message: Message) -> None:
        """Accept the event."""

    async def consume(self, queue: str, consumer: Consumer) -> None:
        """Deliver nothing."""

    async def consume_paced(self, queues: Sequence[str], consumer: Consumer, per_second: float) -> None:
        """Deliver nothing."""

    async def drain(self) -> None:
        """Return, because nothing is in progress."""

    async def close(self) -> None:
        """Return, because nothing is open."""

    def alive(self) -> bool:
        """Report the broker as alive."""
        return True


@dataclass(frozen=True, slots=True)
class Intake:
    """A running intake, the headers of an identified applicant, and the other clients it needs."""

    app: FastAPI
    headers: dict[str, str]
    public_key: str
    captcha: httpx.AsyncClient

    def request(self) -> httpx.Request:
        """Return a new submission."""
        headers = self.headers | {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
        return httpx.Request("POST", "http://desk/api/requests", content=json.dumps(FORM).encode(), headers=headers)


@asynccontextmanager
async def running_intake(url: str, tracing: Tracing | None = None) -> AsyncIterator[Intake]:
    """Run intake on this database."""
    await migrate("desk.intake", url)
    private, public = new_key_pair()
    answering = httpx.MockTransport(lambda _: httpx.Response(200, json={"level": 0}))
    peer = httpx.AsyncClient(transport=TracedTransport("captcha", answering), base_url="http://captcha")
    with tempfile.TemporaryDirectory() as objects:
        app = create_app(
            _settings(url, public), parts=_parts(url, public, peer, Path(objects), Telemetry("intake", tracing))
        )
        token, _ = TokenIssuer(private, IDENTITY_ISSUER).issue(PERSON, audience=IDENTITY_AUDIENCE, seconds=1800)
        async with app.router.lifespan_context(app):
            yield Intake(app, {"Authorization": f"Bearer {token}"}, public, peer)


def _settings(url: str, public_key: str) -> Settings:
    limits = ("requests_per_identity", "requests_per_mobile", "requests_per_email", "requests_per_source")
    return Settings.model_validate(
        {
            "database_url": url,
            "broker_url": "memory://",
            "service_private_key": key_pair("intake")[0],
            "service_public_keys": public_keys("tracking"),
            "event_private_keys": [event_key_pair("intake")[0]],
            "event_public_keys": event_public_keys(*Settings.receivers),
            "s3_endpoint": "unused",
            "s3_access_key": "unused-access-key",
            "s3_secret_key": new_secret(),
            "vault_keys": f"k1:{new_secret()}",
            "index_key": new_secret(),
            "identity_public_key": public_key,
            "tracking_public_key": public_key,
            "receipt_private_key": new_key_pair()[0],
            "captcha_url": "http://captcha",
            "registry_url": "http://registry-gateway",
            "scanner_url": "none",
            "budget_url": "memory://",
            **dict.fromkeys(limits, PLENTY),
        }
    )


def _parts(url: str, public_key: str, peer: httpx.AsyncClient, objects: Path, telemetry: Telemetry) -> Parts:
    return Parts(
        database=Database(url),
        broker=NullBroker(),
        storage=FolderStore(objects),
        scanner=NoScanner(),
        rate_limits=RateLimits("memory://"),
        captcha=captcha_client(peer),
        codes=code_client(peer),
        code_sender=CodeSender(peer),
        registry=RegistryClient(peer),  # no identity is pending
        counter_registry=CounterRegistry(peer),
        identity=TokenReader(public_key, issuer=IDENTITY_ISSUER, audience=IDENTITY_AUDIENCE),
        vault=Vault.from_text(f"k1:{new_secret()}", new_secret()),
        telemetry=telemetry,
    )
