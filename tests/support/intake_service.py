"""Intake under test: its app, its peers, and the people who use it."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from support.intake_peers import FakeCaptcha, FakeObjectStore, FakeRegistry, FakeScanner, RecordingBroker

from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.chassis.events import Message
from desk.intake.app import IDENTITY_AUDIENCE, Parts
from desk.intake.settings import Settings
from desk.intake.store import metadata
from desk.testing.event_keys import encrypted

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()
TRACKING_PRIVATE_KEY, TRACKING_PUBLIC_KEY = new_key_pair()
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
        async with asyncio.timeout(60):
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
