"""Tracking on SQLite and on PostgreSQL, with peers whose answers a test chooses.

A test that uses the store runs on both databases. One that is marked ``ON_SQLITE`` in its file runs on SQLite only.
"""

import io
import json
import logging
import secrets
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import select
from stdnum import damm

from desk.chassis.bus import Bus, QueueSpec, Topology
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import TokenIssuer, Vault, new_key_pair, new_secret
from desk.chassis.event_tables import inbox, outbox
from desk.chassis.events import Message
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.iran.offices import HEADQUARTERS
from desk.security.logs import configure_logging
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.event_keys import decrypted, encrypted, event_key_pair, event_public_keys
from desk.testing.postgres import PostgresServer
from desk.testing.service_keys import key_pair
from desk.tracking.app import TOKEN_ISSUER, Parts, build_reconciliation, create_app
from desk.tracking.challenges import Challenges
from desk.tracking.clients import IntakeClient, RegistryClient
from desk.tracking.domain import Case, HistoryEntry
from desk.tracking.routes import Services
from desk.tracking.service import CaseContext, Deadlines, Reconciliation, Reports
from desk.tracking.settings import Settings
from desk.tracking.store import CaseStore, refusal_table
from desk.tracking.workers.deadlines import BATCH

NATIONAL_ID, OTHER_NATIONAL_ID = "0013542419", "8275737168"
SUBMITTED_AT = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
OFFICE_KEYS = {office: new_key_pair() for office in ("isfahan", "fars", "headquarters")}
"""The pairs with which offices sign their assertions."""
JSON = {"content-type": "application/json"}
TOPOLOGY = Topology(
    ("desk.events", "desk.cases"),
    (
        QueueSpec("tracking", (("desk.events", "request-submitted.*"), ("desk.cases", "#"))),
        QueueSpec("others", (("desk.events", "#"),)),
    ),
)
SECRETS = (
    NATIONAL_ID,
    "زهرا",
    "رضایی",
    "+989123456789",
    "9123456789",
    "zahra.rezaei@example.ir",
    "متن درخواست",
    "شماره فیش",
    "قبض شما",
    "مدرک‌ها",
    "ساکن استان",
    "B12345678",
    "مشکل برطرف",
    "پاسخ روشن",
    "پاسخ دیر شده",
    "تا فردا",
    "پرسش من نبود",
)


ANSWER_FILE = {
    "id": "0b9a7d5e-3c41-4f0e-9d5b-6f2f6d1f7a10",
    "name": "قبض.pdf",
    "size": 12,
    "media_type": "application/pdf",
    "sha256": "a" * 64,
}
CATALOG = {
    "subjects": [
        {
            "key": "umrah",
            "title": "عمرهٔ مفرده",
            "sub_subjects": [
                {"key": "umrah_visa", "title": "روادید و گذرنامهٔ عمره"},
                {"key": "umrah_costs", "title": "هزینه‌های عمره"},
            ],
        },
        {
            "key": "hajj_deposit",
            "title": "ودیعه‌گذاری و قبوض حج تمتع",
            "sub_subjects": [{"key": "lost_receipt", "title": "گم شدن قبض"}],
        },
    ]
}
REPORTS: dict[str, dict[str, Any]] = {
    "case-received": {},
    "case-assigned": {},
    "case-opened": {},
    "case-info-requested": {"question": "شماره فیش شما چیست؟"},
    "case-answered": {
        "text": "قبض شما صادر شد.\nبه دفتر استان بیایید.",
        "files": [ANSWER_FILE],
    },
    "case-rejected": {"reason": "مدرک‌ها کامل نیست."},
    "case-referred": {"province": "fars", "reason": "ساکن استان دیگری هستید."},
    "case-erased": {"certificate_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
    "case-taken-over": {"reason": "پاسخ دیر شده است."},
    "case-commented": {"text": "تا فردا پاسخ دهید."},
}


def _new_code() -> str:
    digits = f"{secrets.randbelow(10**11):011}"  # not of `random`, whose seed hypothesis resets
    return digits + damm.calc_check_digit(digits)


def _request(code: str, **changes: Any) -> dict[str, Any]:
    """Return the data of a submission, as intake publishes it."""
    return {
        "tracking_code": code,
        "submitted_at": "2026-12-13T11:00:00Z",
        "due_at": "2026-12-20T20:29:59Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "lost_receipt", "title": "گم شدن قبض"},
        "applicant": {
            "national_id": NATIONAL_ID,
            "birth_date": "1361-12-05",
            "first_name": "زهرا",
            "last_name": "رضایی‌نژاد",
            "gender": "female",
        },
        "contact": {"mobile": "+989123456789", "landline": "+983132223344", "email": "zahra.rezaei@example.ir"},
        "text": "متن درخواست",
        "attachments": [
            {"id": "a-1", "name": "فیش.jpg", "size": 9, "media_type": "image/jpeg", "sha256": "b" * 64},
        ],
        **changes,
    }


def _message(exchange: str, routing_key: str, sender: str | None, **envelope: Any) -> Message:
    body = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/desk/test",
        "time": "2026-12-13T11:00:00Z",
        "seq": 1,
        "datacontenttype": "application/json",
        **envelope,
    }
    return Message(
        body["id"], exchange, routing_key, body["type"], json.dumps(encrypted(body, "tracking")).encode(), sender
    )


def _submission(code: str, *, seq: int = 1, **changes: Any) -> Message:
    """Return the message of a submission."""
    data = _request(code, **changes)
    routing_key = f"request-submitted.{data['province']['key']}"
    kind = "ir.haj.desk.request-submitted.v1"
    return _message("desk.events", routing_key, None, type=kind, subject=code, seq=seq, data=data)


def _pending(code: str, **changes: Any) -> Message:
    """Return the message of a submission whose applicant is not looked up yet."""
    data = _request(code, **changes)
    kind = "ir.haj.desk.request-pending.v1"
    return _message("desk.events", "request-pending.isfahan", None, type=kind, subject=code, data=data)


def _probed(code: str, **changes: Any) -> Message:
    """Return the message of a synthetic request."""
    data = {"tracking_code": code, "submitted_at": "2026-12-13T11:00:00Z", **changes}
    kind = "ir.haj.desk.request-probed.v1"
    return _message("desk.events", "request-probed.probe", None, type=kind, subject=code, data=data)


def _identity_rejected(code: str, reason: str = "not_matched") -> Message:
    """Return the message that ends a pending request."""
    data = {"tracking_code": code, "at": "2026-12-14T04:00:00Z", "reason": reason}
    kind = "ir.haj.desk.request-identity-rejected.v1"
    routing_key = "request-identity-rejected.isfahan"
    return _message("desk.events", routing_key, None, type=kind, subject=code, seq=2, data=data)


def _report(
    name: str,
    tracking_code: str,
    *,
    province: str = "isfahan",
    seq: int = 1,
    routing_key: str | None = None,
    sender: str | None = "",
    at: str | None = None,
    data: dict[str, Any] | None = None,
    **envelope: Any,
) -> Message:
    """Return the message of a report; by default it happened ``seq`` hours after the submission.

    The broker's user is the province's own, unless ``sender`` names another.
    """
    happened = at or (SUBMITTED_AT + timedelta(hours=seq)).isoformat()
    envelope = {
        "type": f"ir.haj.desk.{name}.v1",
        "source": f"/office/{province}",
        "subject": tracking_code,
        "seq": seq,
        "data": {"tracking_code": tracking_code, "at": happened, **REPORTS[name], **(data or {})},
        **envelope,
    }
    own = province if province == HEADQUARTERS.key else f"province.{province}"
    user = own if sender == "" else sender
    return _message("desk.cases", routing_key or f"{name}.{province}", user, **envelope)


@dataclass
class Peers:
    """Fakes of captcha, intake and registry-gateway: the calls they received, and the responses they send."""

    captcha: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(204))
    intake: httpx.Response | Exception | None = None
    registry: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200, json={"lookups": []}))
    requests: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """Intake's requests, by national ID and tracking code."""
    codes: dict[str, str] = field(default_factory=dict)
    """The codes and states that intake lists for a period with the moment ``submitted_at``."""
    submitted_at: datetime = SUBMITTED_AT
    erased: set[str] = field(default_factory=set)
    """The codes on intake's list of erased ones."""
    files: list[dict[str, Any]] = field(default_factory=list)
    """The uploads for replies at intake."""
    answer_files: list[dict[str, Any]] = field(default_factory=lambda: [ANSWER_FILE])
    """The uploads of offices for answers at intake."""
    unsent: tuple[int, float] = (0, 0.0)
    files_unannounced: int = 0
    proof: httpx.Response = field(default_factory=lambda: httpx.Response(200, json={"level": 1}))
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sms_codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """The codes by SMS that captcha has sent, by id."""

    def calls_to(self, path: str) -> list[tuple[str, dict[str, Any]]]:
        """Return path and body of each call whose path starts with ``path``."""
        return [(called, body) for called, body in self.calls if called.startswith(path)]

    def client(self, answer: Callable[[dict[str, Any]], httpx.Response | Exception]) -> httpx.AsyncClient:
        def handle(request: httpx.Request) -> httpx.Response:
            body = json.loads(request.content or "{}")
            self.calls.append((request.url.path, body))
            response = answer(body)
            if isinstance(response, Exception):
                raise response
            return httpx.Response(response.status_code, content=response.content, headers=response.headers)

        return httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://peer")

    def refuse_captcha(self, code: str) -> None:
        self.captcha = httpx.Response(422, json={"code": code, "title": "…", "status": 422})

    def check_proof(self, _body: dict[str, Any]) -> httpx.Response | Exception:
        return self.proof

    def answer_captcha(self, body: dict[str, Any]) -> httpx.Response | Exception:
        sent = self.sms_codes.get(self.calls[-1][0].split("/")[-2])
        return self.captcha if sent is None else self.check_sms_code(sent, body)

    def check_sms_code(self, sent: dict[str, str], body: dict[str, Any]) -> httpx.Response:
        """Check a code as captcha does: it is right for its purpose and mobile, and for one claim."""
        if (body["purpose"], body.get("mobile")) != (sent["purpose"], sent["mobile"]):
            return httpx.Response(422, json={"code": "captcha_expired"})
        if body["answer"] != sent["answer"]:
            return httpx.Response(422, json={"code": "captcha_wrong"})
        if sent.setdefault("claim", body["claim"]) != body["claim"]:
            return httpx.Response(422, json={"code": "captcha_expired"})
        return httpx.Response(200, json={"level": 0})

    def send_code(self, purpose: str, mobile: str, answer: str = "40967") -> dict[str, str]:
        """Let captcha have sent a code; return its id and answer as the page sends them."""
        captcha_id = f"sms-code-{len(self.sms_codes):04}"
        self.sms_codes[captcha_id] = {"purpose": purpose, "mobile": mobile, "answer": answer}
        return {"id": captcha_id, "answer": answer}

    def list_lookups(self, _body: dict[str, Any]) -> httpx.Response | Exception:
        return self.registry

    def list_erased(self, body: dict[str, Any]) -> httpx.Response:
        if "tracking_code" in body:
            self.erased.add(body["tracking_code"])
            return httpx.Response(204)
        page = [code for code in sorted(self.erased) if code > body["after"]][: body["limit"]]
        return httpx.Response(200, json=page)

    def find_files(self, body: dict[str, Any]) -> httpx.Response:
        uploads = self.files if "reply" in body else self.answer_files
        found = [file for each in body["files"] for file in uploads if file["id"] == each]
        if len(found) < len(body["files"]):
            return httpx.Response(422, json={"code": "attachment_unknown"})
        return httpx.Response(200, json=found)

    def find_request(self, body: dict[str, Any]) -> httpx.Response | Exception:
        if self.intake is not None:
            return self.intake
        if self.calls[-1][0].startswith("/internal/erasures"):
            return self.list_erased(body)
        return self.find_known(body)

    def find_known(self, body: dict[str, Any]) -> httpx.Response:
        if "since" in body:
            since, until = (datetime.fromisoformat(body[name]) for name in ("since", "until"))
            codes = sorted(self.codes) if since <= self.submitted_at < until else []
            page = [code for code in codes if code > body["after"]][: body["limit"]]
            requests = [{"tracking_code": code, "state": self.codes[code]} for code in page]
            count, oldest = self.unsent
            answer = {"requests": requests, "unsent": count, "oldest_unsent_seconds": oldest}
            return httpx.Response(200, json=answer | {"files_unannounced": self.files_unannounced})
        if not body:
            return httpx.Response(200, json=CATALOG)
        if "files" in body:
            return self.find_files(body)
        if body.keys() == {"tracking_code"}:
            state = self.codes.get(body["tracking_code"])
            found_state = httpx.Response(200, json={"state": state})
            return found_state if state else httpx.Response(404, json={"code": "request_not_found"})
        found = self.requests.get((body["national_id"], body["tracking_code"]))
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={"code": "request_not_found"})


class Clock:
    """A clock that a test can stop."""

    now: datetime | None = None

    def __call__(self) -> datetime:
        return self.now or datetime.now(UTC)


@dataclass
class Tracking:
    """The service under test, its peers, and access to its store."""

    app: FastAPI
    parts: Parts
    settings: Settings
    peers: Peers
    public_key: str
    clock: Clock

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    @property
    def bus(self) -> Bus:
        return self.services.bus

    @property
    def context(self) -> CaseContext:
        return self.services.actions.context

    @property
    def reports(self) -> Reports:
        return Reports(self.context, self.parts.intake)

    @property
    def reconciliation(self) -> Reconciliation:
        return build_reconciliation(self.settings, self.parts, self.context.outbox)

    async def submit(self, **changes: Any) -> str:
        """Deliver a submission; return its tracking code."""
        code = _new_code()
        await self.bus.handle(_submission(code, **changes))
        return code

    async def report(self, name: str, tracking_code: str, **details: Any) -> str:
        """Deliver a province's report; return the event's id."""
        message = _report(name, tracking_code, **details)
        await self.bus.handle(message)
        return message.id

    async def case(self, tracking_code: str) -> Case:
        async with self.parts.database.transaction() as session:
            found = await CaseStore(session, self.parts.vault).find_and_lock(tracking_code)
        assert found is not None
        return found[0]

    async def state(self, tracking_code: str) -> str:
        return (await self.case(tracking_code)).state.value

    async def history(self, tracking_code: str) -> list[HistoryEntry]:
        async with self.parts.database.transaction() as session:
            return await CaseStore(session, self.parts.vault).history(tracking_code)

    async def states(self, tracking_code: str) -> list[str]:
        """Return the states of the history in order."""
        return [entry.state.value for entry in await self.history(tracking_code)]

    async def refusals(self, tracking_code: str) -> list[tuple[str, str, str, str]]:
        """Return event id, province, report and reason of each refusal."""
        rows = await self.rows(select(refusal_table).where(refusal_table.c.tracking_code == tracking_code))
        return [(row.event_id, row.province, row.report, row.reason) for row in rows]

    async def published(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the envelopes in the outbox with their routing keys, in order."""
        rows = await self.rows(select(outbox).order_by(outbox.c.created_at))
        opened = [decrypted(row.body, *Settings.receivers) | {"routing_key": row.routing_key} for row in rows]
        return [each for each in opened if name is None or each["type"] == f"ir.haj.desk.{name}.v1"]

    async def received_count(self) -> int:
        """Return the number of events in the inbox."""
        return len(await self.rows(select(inbox)))

    async def rows(self, query: Any) -> list[Any]:
        async with self.parts.database.transaction() as session:
            return list((await session.execute(query)).all())

    def stored_bytes(self) -> bytes:
        """Return all bytes of the SQLite database on the disk, its write-ahead log included."""
        path = Path(str(self.parts.database.engine.url.database))
        return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))

    async def post(self, body: Any = None, *, source: str = "192.0.2.1", **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(source, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            return await client.post("/api/tracking", **({"content": json.dumps(body), "headers": JSON} | more))

    def token(
        self, tracking_code: str, *, audience: str = "desk.tracking", seconds: int = 60, seconds_ago: int = 0
    ) -> str:
        """Return a tracking token like that of a look-up so many seconds ago."""
        claims = {"sub": tracking_code, "auth_time": int(time.time()) - seconds_ago}
        return self.parts.tokens.issue(claims, audience=audience, seconds=seconds)[0]

    async def act(
        self,
        action: str,
        tracking_code: str,
        body: dict[str, Any],
        *,
        key: str | None = "key-00000001",
        token: str | None = None,
    ) -> httpx.Response:
        """Act as the page does."""
        headers = JSON | {"authorization": f"Bearer {token or self.token(tracking_code)}"}
        headers |= {"idempotency-key": key} if key else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://tracking") as client:
            return await client.post(f"/api/tracking/{action}", content=json.dumps(body), headers=headers)

    def set_clock(self, now: datetime) -> None:
        """Stop the service's clock at ``now``."""
        self.clock.now = now

    async def expire_cases(self) -> int:
        """Act on the cases whose deadline has passed; return their number."""
        return len(await Deadlines(self.parts.database, self.context).expire_cases(BATCH))

    async def look_up(
        self,
        tracking_code: str,
        national_id: str = NATIONAL_ID,
        *,
        source: str = "192.0.2.1",
        proof: dict[str, str] | None = None,
        **captcha: str,
    ) -> httpx.Response:
        """Look up a request as the page does."""
        answer = {"id": "captcha-0001", "answer": "40967", **captcha}
        body: dict[str, Any] = {"national_id": national_id, "tracking_code": tracking_code, "captcha": answer}
        body |= {"proof": proof} if proof is not None else {}
        return await self.post(body, source=source)


@pytest.fixture
def new_code() -> Callable[[], str]:
    return _new_code


@pytest.fixture
def request_data() -> Callable[..., dict[str, Any]]:
    return _request


@pytest.fixture
def submission() -> Callable[..., Message]:
    return _submission


@pytest.fixture
def pending() -> Callable[..., Message]:
    return _pending


@pytest.fixture
def probed() -> Callable[..., Message]:
    return _probed


@pytest.fixture
def identity_rejected() -> Callable[..., Message]:
    return _identity_rejected


@pytest.fixture
def report() -> Callable[..., Message]:
    return _report


@pytest.fixture
def report_data() -> Callable[[str, str], dict[str, Any]]:
    """Return a function that returns the data of a report."""
    return lambda name, code: {"tracking_code": code, "at": "2026-12-13T12:00:00Z", **REPORTS[name]}


@pytest.fixture
def secrets_of_people() -> tuple[str, ...]:
    return SECRETS


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate an SQLite database once; each test gets a copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"), "desk.tracking")


@pytest.fixture(scope="session")
def migrated_url(postgres_server: PostgresServer) -> str:
    """Migrate a PostgreSQL database once; each test gets its tables empty."""
    return migrated_database(postgres_server, "desk.tracking")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database on each kind of server."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("migrated_url"))
    return copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path / "tracking.db")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database with empty tables."""
    database = Database(database_url, pool_timeout=60, statement_seconds=50)
    if database.engine.name == "postgresql":
        await empty_tables(database)
    yield database
    await database.close()


@pytest.fixture
def office_private_keys() -> dict[str, str]:
    """The keys with which offices sign their assertions."""
    return {office: private for office, (private, _) in OFFICE_KEYS.items()}


@pytest.fixture
async def tracking(tmp_path: Path, database: Database) -> AsyncIterator[Tracking]:
    private_key, public_key = new_key_pair()
    vault = Vault({"k1": b"k" * 32}, b"i" * 32)
    broker = EmbeddedBroker(f"sqlite+aiosqlite:///{tmp_path / 'broker.db'}", TOPOLOGY, vault)
    await broker.open()
    peers, clock = Peers(), Clock()
    parts = Parts(
        database=database,
        broker=broker,
        rate_limits=RateLimits("memory://"),
        challenges=Challenges.of(peers.client(peers.answer_captcha), peers.client(peers.check_proof)),
        intake=IntakeClient(peers.client(peers.find_request)),
        registry=RegistryClient(peers.client(peers.list_lookups)),
        tokens=TokenIssuer(private_key, TOKEN_ISSUER),
        vault=vault,
        telemetry=Telemetry("tracking"),
        clock=clock,
    )
    settings = Settings(
        database_url="sqlite+aiosqlite://",
        vault_keys=f"k1:{new_secret()}",
        index_key=new_secret(),
        service_private_key=key_pair("tracking")[0],
        token_private_key=new_key_pair()[0],
        office_signing_keys={office: public for office, (_, public) in OFFICE_KEYS.items()},
        probe_public_key=key_pair("probe")[1],
        captcha_url="http://captcha",
        intake_url="http://intake",
        registry_url="http://registry-gateway",
        budget_url="memory://",
        broker_url="memory://",
        event_private_keys=[event_key_pair("tracking")[0]],
        event_public_keys=event_public_keys(*Settings.receivers),
        misses_per_source="3/10 minutes",
        lookups_per_source="30/10 minutes",
    )
    yield Tracking(create_app(settings, parts=parts), parts, settings, peers, public_key, clock)
    await broker.close()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Return a function that returns the log so far, as operators would see it, from debug upwards."""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    root = logging.getLogger()
    handlers, level, style = root.handlers, root.level, structlog.get_config()
    configure_logging("json", "DEBUG")
    yield log.getvalue
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**style)
