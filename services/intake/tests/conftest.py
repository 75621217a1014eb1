"""Intake on SQLite or PostgreSQL, with a captcha service, a registry, a broker and an object store that can fail."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from support.intake_peers import FakeCaptcha, FakeObjectStore, FakeRegistry, FakeScanner, RecordingBroker
from support.intake_service import (
    ALI,
    HQ_PRIVATE_KEY,
    HQ_PUBLIC_KEY,
    ISFAHAN_PRIVATE_KEY,
    ISFAHAN_PUBLIC_KEY,
    PDF,
    PRIVATE_KEY,
    PUBLIC_KEY,
    QOM_PRIVATE_KEY,
    QOM_PUBLIC_KEY,
    TRACKING_PRIVATE_KEY,
    TRACKING_PUBLIC_KEY,
    ZAHRA,
    Desk,
)

from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, new_key_pair, new_secret
from desk.chassis.events import Outbox
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.intake.app import IDENTITY_AUDIENCE, IDENTITY_ISSUER, Parts, create_app
from desk.intake.clients import RegistryClient, captcha_client, code_client
from desk.intake.counter_clients import CodeSender, CounterRegistry
from desk.intake.settings import Settings
from desk.intake.workers.identity_check import IdentityCheck
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.event_keys import encryptor_for, event_key_pair, event_public_keys
from desk.testing.postgres import PostgresServer
from desk.testing.service_keys import InternalAuth, key_pair, public_keys

RECEIPT_PRIVATE_KEY, _ = new_key_pair()
_, FORMER_PUBLIC_KEY = new_key_pair()
NOTHING = {"request": 0, "outbox": 0}


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file; every test gets a copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"), "desk.intake")


@pytest.fixture(scope="session")
def migrated_postgresql(postgres_server: PostgresServer) -> str:
    """Migrate one PostgreSQL database; its tables are emptied before every test."""
    return migrated_database(postgres_server, "desk.intake")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run the test on both databases; a module whose tests do not depend on the database overrides this."""
    return str(request.param)


@pytest.fixture
def migrated_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if database_kind == "postgresql":
        return str(request.getfixturevalue("migrated_postgresql"))
    return copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path / "intake.db")


@pytest.fixture
async def database_url(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a migrated database without rows; a busy machine may need seconds for a connection."""
    monkeypatch.setattr("desk.database.engines.CONNECT_SECONDS", 60)
    if migrated_url.startswith("postgresql"):
        database = Database(migrated_url)
        await empty_tables(database)
        await database.close()
    return migrated_url


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Log without coloured tracebacks, which take seconds each."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
def settings() -> Settings:
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


@pytest.fixture
async def desk(settings: Settings, tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    path, folder = tmp_path / "intake.db", tmp_path / "objects"
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


@pytest.fixture
def identity_check(desk: Desk) -> Callable[..., IdentityCheck]:
    """The worker of another replica, which checks identities when the test says so."""

    def identity_check(telemetry: Telemetry | None = None) -> IdentityCheck:
        return IdentityCheck(
            desk.parts.database,
            desk.parts.vault,
            Outbox("/desk/intake", encryptor_for(*Settings.receivers)),
            desk.parts.registry,
            telemetry or Telemetry("another replica"),
            first_wait=timedelta(minutes=1),
        )

    return identity_check


@pytest.fixture
def no_checks_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the service's own worker, so that an identity is checked only when the test says so."""

    async def do_nothing(_check: IdentityCheck) -> None: ...

    monkeypatch.setattr(IdentityCheck, "run_once", do_nothing)


@pytest.fixture
def zahra() -> dict[str, str]:
    return ZAHRA


@pytest.fixture
def ali() -> dict[str, str]:
    return ALI


@pytest.fixture
def pdf() -> bytes:
    return PDF


@pytest.fixture
def nothing() -> dict[str, int]:
    """The counts of ``Desk.stored`` in an empty database."""
    return NOTHING


@pytest.fixture
def problem_of() -> Callable[[httpx.Response, int], dict[str, Any]]:
    """Check that a response is a problem with Persian texts, and return it."""

    def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        assert problem["status"] == status
        assert problem["type"] == f"/problems/{problem['code']}"
        for sentence in (problem["title"], *(error["message"] for error in problem["errors"])):
            assert any("\u0600" <= letter <= "\u06ff" for letter in sentence)
        return problem

    return problem_of


@pytest.fixture
def tracking_private_key() -> str:
    return TRACKING_PRIVATE_KEY


@pytest.fixture
def province_private_keys() -> dict[str, str]:
    return {"isfahan": ISFAHAN_PRIVATE_KEY, "qom": QOM_PRIVATE_KEY, "headquarters": HQ_PRIVATE_KEY}
