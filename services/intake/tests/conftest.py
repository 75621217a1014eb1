"""Intake on SQLite or PostgreSQL, with a captcha service, a registry, a broker and an object store that can fail."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import text

from desk.chassis.bus import BrokerUnavailableError, Consumer
from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, new_key_pair, new_secret
from desk.chassis.events import Message, Outbox
from desk.chassis.rate_limits import RateLimits
from desk.chassis.storage import FolderStore, ObjectStoreUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.files.scanner import ScannerUnavailableError
from desk.intake.app import IDENTITY_AUDIENCE, IDENTITY_ISSUER, Parts, create_app
from desk.intake.clients import RegistryClient, captcha_client, code_client
from desk.intake.counter_clients import CodeSender, CounterRegistry
from desk.intake.settings import Settings
from desk.intake.store import metadata
from desk.intake.workers.identity_check import IdentityCheck
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.event_keys import encrypted, encryptor_for, event_key_pair, event_public_keys
from desk.testing.hostile_files import EICAR
from desk.testing.postgres import PostgresServer
from desk.testing.service_keys import InternalAuth, key_pair, public_keys

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()
TRACKING_PRIVATE_KEY, TRACKING_PUBLIC_KEY = new_key_pair()
RECEIPT_PRIVATE_KEY, _ = new_key_pair()
_, FORMER_PUBLIC_KEY = new_key_pair()
ISFAHAN_PRIVATE_KEY, ISFAHAN_PUBLIC_KEY = new_key_pair()
QOM_PRIVATE_KEY, QOM_PUBLIC_KEY = new_key_pair()
HQ_PRIVATE_KEY, HQ_PUBLIC_KEY = new_key_pair()
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
ZAHRA = {
    "sub": "0013542419",
    "birth_date": "1361-12-05",
    "first_name": "زهرا",
    "last_name": "رضایی‌نژاد",
    "gender": "female",
    "status": "matched",
}
ALI = {
    "sub": "8275737168",
    "birth_date": "1350-01-01",
    "first_name": "علی",
    "last_name": "محمدی",
    "gender": "male",
    "status": "matched",
}


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
            return _refusal("captcha_expired")
        right = given["answer"] == self.answers[captcha_id]
        if captcha_id in self.claims:
            return (
                httpx.Response(204)
                if right and self.claims[captcha_id] == given["claim"]
                else _refusal("captcha_expired")
            )
        if not right:
            return _refusal("captcha_wrong")
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


def _refusal(code: str) -> httpx.Response:
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


@dataclass
class Desk:
    """The service under test, the fakes around it, and access to its stores."""

    settings: Settings
    parts: Parts
    path: Path
    folder: Path
    captcha: FakeCaptcha
    registry: FakeRegistry
    broker: RecordingBroker
    storage: FakeObjectStore
    scanner: FakeScanner
    issuer: TokenIssuer
    app: FastAPI = field(init=False)
    client: httpx.AsyncClient = field(init=False)

    def replace_services(self, **changes: Any) -> None:
        """Replace some services of the running app."""
        self.app.state.services = replace(self.app.state.services, **changes)

    def limit_uploads(self, limit: str) -> None:
        """Set the rate limit of uploads, such as ``2/hour``."""
        self.replace_services(uploads=replace(self.app.state.services.uploads, per_identity=limit))

    def limit_requests(self, **limits: str) -> None:
        """Set limits of submissions, such as ``per_mobile="2/day"``."""
        submission = self.app.state.services.submission
        submission = replace(submission, limits=replace(submission.limits, **limits))
        counter = replace(self.app.state.services.counter, submission=submission)
        self.replace_services(submission=submission, counter=counter)

    def token(self, person: dict[str, str] = ZAHRA, *, audience: str = IDENTITY_AUDIENCE, seconds: int = 1800) -> str:
        return self.issuer.issue(person, audience=audience, seconds=seconds)[0]

    def form(self, **changes: Any) -> dict[str, Any]:
        """Return a valid form with a new security code; ``changes`` replace or add fields.

        With typed names, which only an unconfirmed identity has, there is a code by SMS too.
        """
        if "applicant" in changes:
            mobile = changes.get("mobile", "09123456789")
            changes = {"mobile_code": self.captcha.send_code(f"+98{mobile[1:]}"), **changes}
        return {
            "province": "isfahan",
            "email": "zahra.rezaei@example.ir",
            "mobile": "09123456789",
            "landline": {"area_code": "031", "number": "32211234"},
            "subject": "hajj_deposit",
            "sub_subject": "lost_receipt",
            "text": "قبض ودیعه‌گذاری من گم شده است.",
            "attachments": [],
            "again": True,
            "captcha": self.captcha.issue(),
            **changes,
        }

    async def submit(
        self, form: Any = None, *, key: str | None = "", token: str | None = "", **changes: Any
    ) -> httpx.Response:
        """Submit a form, by default a valid one of Zahra with a new key; None omits the header."""
        headers = {} if key is None else {"Idempotency-Key": key or str(uuid.uuid4())}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.token()}"
        body = self.form(**changes) if form is None else form
        return await self.client.post("/api/requests", json=body, headers=headers)

    async def upload(
        self, content: bytes = PDF, name: str = "قبض.pdf", *, token: str | None = "", part: str = "file"
    ) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token or self.token()}"}
        return await self.client.post("/api/attachments", files={part: (name, content)}, headers=headers)

    async def upload_raw(self, content: bytes, name: str) -> httpx.Response:
        """Upload a file with a name that HTTP clients would escape."""
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
        return await self.client.post(
            "/api/attachments",
            content=head + content + b"\r\n--x--\r\n",
            headers={
                "Authorization": f"Bearer {self.token()}",
                "Content-Type": "multipart/form-data; boundary=x",
            },
        )

    async def attachment(self, token: str = "") -> str:
        """Upload a valid file and return its id."""
        answer = await self.upload(token=token)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def remove(self, file_id: str, token: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return await self.client.delete(f"/api/attachments/{file_id}", headers=headers)

    async def publish_from_tracking(self, name: str, code: str, *, seq: int = 2, **data: Any) -> None:
        """Deliver an event of tracking to intake."""
        body = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "/desk/tracking",
            "type": f"ir.haj.desk.{name}.v1",
            "subject": code,
            "time": "2026-12-13T11:00:00Z",
            "seq": seq,
            "data": {"tracking_code": code, "at": "2026-12-13T11:00:00Z", **data},
        }
        wire = json.dumps(encrypted(body, "intake")).encode()
        await self.broker.deliver(Message(body["id"], "desk.events", f"{name}.isfahan", body["type"], wire))

    async def events(self, count: int = 1) -> list[Message]:
        """Wait until ``count`` events are published, and return them."""
        async with asyncio.timeout(10):
            while len(self.broker.published) < count:
                self.broker.got_one.clear()
                await self.broker.got_one.wait()
        return self.broker.published

    async def select(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Read from the database directly."""
        async with self.parts.database.transaction() as session:
            return [tuple(row) for row in await session.execute(text(statement), values)]

    async def change(self, statement: str, **values: Any) -> None:
        """Write to the database directly."""
        async with self.parts.database.transaction() as session:
            await session.execute(text(statement), values)

    async def count(self, table: str) -> int:
        """Count the rows of a table."""
        [(count,)] = await self.select(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own tables
        return int(count)

    async def objects(self) -> set[str]:
        """List what is in the object store, including incomplete objects: by the id of its file, if it has a row."""
        found = {path.name for path in self.folder.rglob("*") if path.is_file()}
        files = await self.select("SELECT object_key, id FROM attachment UNION SELECT object_key, id FROM answer_file")
        ids = dict(files)
        return {ids.get(name, name) for name in found}

    async def object_of(self, file_id: str) -> Path:
        """Return where the object of an applicant's file is in the folder."""
        [(key,)] = await self.select("SELECT object_key FROM attachment WHERE id = :id", id=file_id)
        return self.folder / str(key)

    async def stored(self) -> dict[str, int]:
        """Count the stored requests and events."""
        return {table: await self.count(table) for table in ("request", "outbox")}

    async def written(self) -> bytes:
        """Return everything the database holds: SQLite's files, or every value of every table."""
        if self.parts.database.engine.dialect.name == "sqlite":
            return b"".join(path.read_bytes() for path in self.path.parent.glob(f"{self.path.name}*"))
        values = [
            value
            for table in metadata.sorted_tables
            for row in await self.select(f'SELECT * FROM "{table.name}"')  # noqa: S608 - our own tables
            for value in row
        ]
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


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
async def database_url(migrated_url: str) -> str:
    """Return the URL of a migrated database without rows."""
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
