"""Intake as its tests run it: its settings, and its app with fake peers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from support.intake_peers import FakeCaptcha, FakeObjectStore, FakeRegistry, FakeScanner, RecordingBroker
from support.intake_service import (
    HQ_PUBLIC_KEY,
    ISFAHAN_PUBLIC_KEY,
    PRIVATE_KEY,
    PUBLIC_KEY,
    QOM_PUBLIC_KEY,
    TRACKING_PUBLIC_KEY,
    Desk,
)

from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, new_key_pair, new_secret
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.intake.app import IDENTITY_AUDIENCE, IDENTITY_ISSUER, Parts, create_app
from desk.intake.clients import RegistryClient, captcha_client, code_client
from desk.intake.counter_clients import CodeSender, CounterRegistry
from desk.intake.settings import Settings
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.service_keys import InternalAuth, key_pair, public_keys

RECEIPT_PRIVATE_KEY, _ = new_key_pair()
_, FORMER_PUBLIC_KEY = new_key_pair()


def new_settings() -> Settings:
    """Return settings with keys of the tests, and without limits that many submissions would reach."""
    return Settings(
        database_url="sqlite+aiosqlite://",
        vault_keys=f"k1:{new_secret()}",
        index_key=new_secret(),
        service_private_key=key_pair("intake")[0],
        service_public_keys=public_keys("tracking"),
        identity_public_key=PUBLIC_KEY,
        tracking_public_key=TRACKING_PUBLIC_KEY,
        receipt_private_key=RECEIPT_PRIVATE_KEY,
        receipt_public_keys=[FORMER_PUBLIC_KEY],
        office_signing_keys={"isfahan": ISFAHAN_PUBLIC_KEY, "qom": QOM_PUBLIC_KEY, "headquarters": HQ_PUBLIC_KEY},
        probe_public_key=key_pair("probe")[1],
        captcha_url="http://captcha",
        registry_url="http://registry-gateway",
        scanner_url="none",
        budget_url="memory://",
        broker_url="memory://",
        event_private_keys=[event_key_pair("intake")[0]],
        event_public_keys=event_public_keys(*Settings.receivers),
        s3_endpoint="unused",
        s3_access_key="unused-access-key",
        s3_secret_key="unused-s3-password",
        **dict.fromkeys(
            ("requests_per_identity", "requests_per_mobile", "requests_per_email", "requests_per_source"), "1000/day"
        ),
    )


@asynccontextmanager
async def running_intake(settings: Settings, files: Path, database_url: str) -> AsyncIterator[Desk]:
    """Run intake on a migrated database, with fake peers; its SQLite database and its objects are in ``files``."""
    path, folder = files / "intake.db", files / "objects"
    captcha, registry, broker, storage = FakeCaptcha(), FakeRegistry(), RecordingBroker(), FakeObjectStore(folder)
    scanner = FakeScanner()
    peer = httpx.AsyncClient(transport=httpx.MockTransport(captcha), base_url="http://captcha", timeout=5)
    gateway = httpx.AsyncClient(transport=httpx.MockTransport(registry), base_url="http://registry-gateway", timeout=5)
    parts = Parts(
        database=Database(database_url, pool_timeout=60, statement_seconds=50),
        broker=broker,
        storage=storage,
        scanner=scanner,
        rate_limits=RateLimits("memory://"),
        captcha=captcha_client(peer),
        codes=code_client(peer),
        code_sender=CodeSender(peer),
        registry=RegistryClient(gateway),
        counter_registry=CounterRegistry(gateway),
        identity=TokenReader(PUBLIC_KEY, issuer=IDENTITY_ISSUER, audience=IDENTITY_AUDIENCE),
        vault=Vault({"k1": b"k" * 32}, b"i" * 32),
        telemetry=Telemetry("intake"),
    )
    issuer = TokenIssuer(PRIVATE_KEY, IDENTITY_ISSUER)
    desk = Desk(settings, parts, path, folder, captcha, registry, broker, storage, scanner, issuer)
    desk.app = create_app(settings, parts=parts)
    transport = httpx.ASGITransport(desk.app, raise_app_exceptions=False)
    async with (
        peer,
        gateway,
        desk.app.router.lifespan_context(desk.app),
        httpx.AsyncClient(
            transport=transport, base_url="http://intake", auth=InternalAuth("tracking", "intake")
        ) as desk.client,
    ):
        yield desk
