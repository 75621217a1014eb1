"""Tracking under test: its app, its peers, and access to its store."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select
from support.tracking_events import NATIONAL_ID, new_tracking_code, report_of, submission_of
from support.tracking_peers import Peers

from desk.chassis.bus import Bus
from desk.chassis.crypto import new_key_pair
from desk.chassis.event_tables import inbox, outbox
from desk.testing.event_keys import decrypted
from desk.tracking.app import Parts, build_reconciliation
from desk.tracking.domain import Case, HistoryEntry
from desk.tracking.routes import Services
from desk.tracking.service import CaseContext, Deadlines, Reconciliation, Reports
from desk.tracking.settings import Settings
from desk.tracking.store import CaseStore, refusal_table
from desk.tracking.workers.deadlines import BATCH

JSON = {"content-type": "application/json"}
OFFICE_KEYS = {office: new_key_pair() for office in ("isfahan", "fars", "headquarters")}
"""The pairs with which offices sign their assertions."""


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
        code = new_tracking_code()
        await self.bus.handle(submission_of(code, **changes))
        return code

    async def report(self, name: str, tracking_code: str, **details: Any) -> str:
        """Deliver a province's report; return the event's id."""
        message = report_of(name, tracking_code, **details)
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
