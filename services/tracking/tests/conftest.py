"""Tracking on SQLite in a temporary folder, with peers that answer as they are told."""

import io
import json
import logging
import secrets
import shutil
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from alembic import command
from fastapi import FastAPI
from sqlalchemy import event, select
from sqlalchemy.pool import Pool
from stdnum import damm

from desk.chassis.bus import Bus, QueueSpec, Topology
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import TokenIssuer, Vault, new_key_pair
from desk.chassis.events import Message, inbox, outbox
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry, configure_logging
from desk.database import Database, alembic_config
from desk.tracking.app import TOKEN_ISSUER, Parts, create_app
from desk.tracking.clients import CaptchaClient, IntakeClient, RegistryClient
from desk.tracking.domain import Case
from desk.tracking.settings import Settings
from desk.tracking.store import CaseStore, Step, refusal_table

NATIONAL_ID, OTHER_NATIONAL_ID = "0013542419", "8275737168"
SUBMITTED_AT = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
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
    "پرسش من نبود",
)

REPORTS: dict[str, dict[str, Any]] = {
    "case-received": {},
    "case-assigned": {},
    "case-info-requested": {"question": "شماره فیش شما چیست؟"},
    "case-answered": {
        "text": "قبض شما صادر شد.\nبه دفتر استان بیایید.",
        "files": [{"id": "f-1", "name": "قبض.pdf", "size": 12, "media_type": "application/pdf", "sha256": "a" * 64}],
    },
    "case-rejected": {"reason": "مدرک‌ها کامل نیست."},
    "case-referred": {"province": "fars", "reason": "ساکن استان دیگری هستید."},
}


def _new_code() -> str:
    eleven = f"{secrets.randbelow(10**11):011}"  # not of `random`, which hypothesis makes repeat itself
    return eleven + damm.calc_check_digit(eleven)


def _request(code: str, **changes: Any) -> dict[str, Any]:
    """The data of a submission, as intake announces them."""
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
    return Message(body["id"], exchange, routing_key, body["type"], json.dumps(body).encode(), sender)


def _submission(code: str, *, seq: int = 1, **changes: Any) -> Message:
    """A submission on the wire."""
    data = _request(code, **changes)
    routing_key = f"request-submitted.{data['province']['key']}"
    kind = "ir.haj.desk.request-submitted.v1"
    return _message("desk.events", routing_key, None, type=kind, subject=code, seq=seq, data=data)


def _pending(code: str, **changes: Any) -> Message:
    """A submission whose applicant is not looked up yet, on the wire."""
    data = _request(code, **changes)
    kind = "ir.haj.desk.request-pending.v1"
    return _message("desk.events", "request-pending.isfahan", None, type=kind, subject=code, data=data)


def _identity_rejected(code: str, reason: str = "not_matched") -> Message:
    """The end of a pending request, on the wire."""
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
    sender: str | None = None,
    at: str | None = None,
    data: dict[str, Any] | None = None,
    **envelope: Any,
) -> Message:
    """A province's report on the wire; unless said otherwise it happened ``seq`` hours after the submission."""
    happened = at or (SUBMITTED_AT + timedelta(hours=seq)).isoformat()
    envelope = {
        "type": f"ir.haj.desk.{name}.v1",
        "source": f"/province/{province}",
        "subject": tracking_code,
        "seq": seq,
        "data": {"tracking_code": tracking_code, "at": happened, **REPORTS[name], **(data or {})},
        **envelope,
    }
    return _message("desk.cases", routing_key or f"{name}.{province}", sender, **envelope)


@dataclass
class Peers:
    """Captcha, intake and registry-gateway as tracking sees them: what they were asked, and what they answer."""

    captcha: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(204))
    intake: httpx.Response | Exception | None = None
    registry: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200, json={"lookups": []}))
    requests: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """What intake has, by national ID and tracking code."""
    codes: dict[str, str] = field(default_factory=dict)
    """What intake lists of a period: codes with their states."""
    files: list[dict[str, Any]] = field(default_factory=list)
    """What was put up for replies."""
    unsent: tuple[int, float] = (0, 0.0)
    files_unannounced: int = 0
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def asked_of(self, path: str) -> list[tuple[str, dict[str, Any]]]:
        """What was asked under this path."""
        return [(asked, body) for asked, body in self.asked if asked.startswith(path)]

    def client(self, answer: Callable[[dict[str, Any]], httpx.Response | Exception]) -> httpx.AsyncClient:
        def handle(request: httpx.Request) -> httpx.Response:
            body = json.loads(request.content)
            self.asked.append((request.url.path, body))
            given = answer(body)
            if isinstance(given, Exception):
                raise given
            return httpx.Response(given.status_code, content=given.content, headers=given.headers)

        return httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://peer")

    def refuse_captcha(self, code: str) -> None:
        self.captcha = httpx.Response(422, json={"code": code, "title": "…", "status": 422})

    def answer_captcha(self, _body: dict[str, Any]) -> httpx.Response | Exception:
        return self.captcha

    def list_lookups(self, _body: dict[str, Any]) -> httpx.Response | Exception:
        return self.registry

    def find_request(self, body: dict[str, Any]) -> httpx.Response | Exception:
        if self.intake is not None:
            return self.intake
        if "since" in body:
            page = [code for code in sorted(self.codes) if code > body["after"]][: body["limit"]]
            requests = [{"tracking_code": code, "state": self.codes[code]} for code in page]
            count, oldest = self.unsent
            answer = {"requests": requests, "unsent": count, "oldest_unsent_seconds": oldest}
            return httpx.Response(200, json=answer | {"files_unannounced": self.files_unannounced})
        if "reply" in body:
            found_files = [file for each in body["files"] for file in self.files if file["id"] == each]
            if len(found_files) < len(body["files"]):
                return httpx.Response(422, json={"code": "attachment_unknown"})
            return httpx.Response(200, json=found_files)
        found = self.requests.get((body["national_id"], body["tracking_code"]))
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={"code": "request_not_found"})


@dataclass
class Tracking:
    """The service under test, its peers, and a look into its store."""

    app: FastAPI
    parts: Parts
    settings: Settings
    path: Path
    peers: Peers
    public_key: str

    @property
    def bus(self) -> Bus:
        bus: Bus = self.app.state.bus
        return bus

    async def submit(self, **changes: Any) -> str:
        """Let a request be submitted; return its code."""
        code = _new_code()
        await self.bus.handle(_submission(code, **changes))
        return code

    async def report(self, name: str, tracking_code: str, **details: Any) -> str:
        """Let a province report; return the event's id."""
        message = _report(name, tracking_code, **details)
        await self.bus.handle(message)
        return message.id

    async def case(self, tracking_code: str) -> Case:
        async with self.parts.database.transaction() as session:
            found = await CaseStore(session, self.parts.vault).get(tracking_code)
        assert found is not None
        return found[0]

    async def state(self, tracking_code: str) -> str:
        return (await self.case(tracking_code)).state.value

    async def history(self, tracking_code: str) -> list[Step]:
        async with self.parts.database.transaction() as session:
            return await CaseStore(session, self.parts.vault).history(tracking_code)

    async def states(self, tracking_code: str) -> list[str]:
        """The states of the history, as the applicant sees them."""
        return [step.state.value for step in await self.history(tracking_code)]

    async def refusals(self, tracking_code: str) -> list[tuple[str, str, str, str]]:
        """Event id, province, report and reason of each."""
        rows = await self.rows(select(refusal_table).where(refusal_table.c.tracking_code == tracking_code))
        return [(row.event_id, row.province, row.report, row.reason) for row in rows]

    async def announced(self, name: str | None = None) -> list[dict[str, Any]]:
        """The envelopes announced so far with their routing keys, in their order."""
        rows = await self.rows(select(outbox).order_by(outbox.c.created_at))
        opened = [
            {**json.loads(self.parts.vault.open(row.body, f"outbox.body:{row.id}")), "routing_key": row.routing_key}
            for row in rows
        ]
        return [each for each in opened if name is None or each["type"] == f"ir.haj.desk.{name}.v1"]

    async def heard(self) -> int:
        """How many events are in the inbox."""
        return len(await self.rows(select(inbox)))

    async def rows(self, query: Any) -> list[Any]:
        async with self.parts.database.transaction() as session:
            return list((await session.execute(query)).all())

    def written(self) -> bytes:
        """All bytes on the disk, the write-ahead log's too."""
        return b"".join(path.read_bytes() for path in self.path.parent.glob(f"{self.path.name}*"))

    async def post(self, body: Any = None, *, source: str = "192.0.2.1", **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(source, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            return await client.post("/api/tracking", **({"content": json.dumps(body), "headers": JSON} | more))

    def token(self, tracking_code: str, *, audience: str = "desk.tracking", seconds: int = 60) -> str:
        """A tracking token, as a look-up gives it."""
        return self.parts.tokens.issue({"sub": tracking_code}, audience=audience, seconds=seconds)[0]

    async def act(
        self,
        move: str,
        tracking_code: str,
        body: dict[str, Any],
        *,
        key: str | None = "key-00000001",
        token: str | None = None,
    ) -> httpx.Response:
        """Let the applicant act as the page does."""
        headers = JSON | {"authorization": f"Bearer {token or self.token(tracking_code)}"}
        headers |= {"idempotency-key": key} if key else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://tracking") as client:
            return await client.post(f"/api/tracking/{move}", content=json.dumps(body), headers=headers)

    def set_clock(self, now: datetime) -> None:
        """Let the service believe that it is ``now``."""
        object.__setattr__(self.app.state.office, "clock", lambda: now)

    async def look(self) -> int:
        """Look once for cases whose time has run out."""
        found: int = await self.app.state.deadlines.look()
        return found

    async def ask(
        self, tracking_code: str, national_id: str = NATIONAL_ID, *, source: str = "192.0.2.1", **captcha: str
    ) -> httpx.Response:
        """Ask as the page does."""
        answer = {"id": "captcha-0001", "answer": "40967", **captcha}
        body = {"national_id": national_id, "tracking_code": tracking_code, "captcha": answer}
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
def identity_rejected() -> Callable[..., Message]:
    return _identity_rejected


@pytest.fixture
def report() -> Callable[..., Message]:
    return _report


@pytest.fixture
def secrets_of_people() -> tuple[str, ...]:
    return SECRETS


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate a database once; each test gets a copy."""
    path = tmp_path_factory.mktemp("empty") / "tracking.db"
    command.upgrade(alembic_config("desk.tracking", f"sqlite+aiosqlite:///{path}"), "head")
    return path


@pytest.fixture
async def tracking(tmp_path: Path, empty_store: Path) -> AsyncIterator[Tracking]:
    path = tmp_path / "tracking.db"
    url = f"sqlite+aiosqlite:///{path}"
    shutil.copy(empty_store, path)
    private_key, public_key = new_key_pair()
    vault = Vault({"k1": b"k" * 32}, b"i" * 32)
    broker = EmbeddedBroker(f"sqlite+aiosqlite:///{tmp_path / 'broker.db'}", TOPOLOGY, vault)
    await broker.open()
    peers = Peers()
    parts = Parts(
        database=Database(url),
        broker=broker,
        rate_limits=RateLimits("memory://"),
        captcha=CaptchaClient(peers.client(peers.answer_captcha)),
        intake=IntakeClient(peers.client(peers.find_request)),
        registry=RegistryClient(peers.client(peers.list_lookups)),
        tokens=TokenIssuer(private_key, TOKEN_ISSUER),
        vault=vault,
        telemetry=Telemetry("tracking"),
    )
    settings = Settings(
        database_url=url,
        vault_keys="unused",
        index_key="unused",
        token_private_key="unused",
        captcha_url="http://captcha",
        intake_url="http://intake",
        registry_url="http://registry-gateway",
        budget_url="memory://",
        broker_url="unused",
        misses_per_source="3/10 minutes",
        lookups_per_source="30/10 minutes",
    )
    yield Tracking(create_app(settings, parts=parts), parts, settings, path, peers, public_key)
    await broker.close()
    await parts.database.close()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Give what was logged so far, as operators would see it, from debug upwards."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level, style = root.handlers, root.level, structlog.get_config()
    configure_logging("json", "DEBUG")
    yield written.getvalue
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**style)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Tests lose nothing in a power cut, and need not wait until each commit is safe from one."""

    def hurry(connection: Any, _record: Any, _proxy: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()

    event.listen(Pool, "checkout", hurry)
    yield
    event.remove(Pool, "checkout", hurry)
