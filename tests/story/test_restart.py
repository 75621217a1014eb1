"""After a crash, every request whose code was shown is there, and nothing happens twice."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from support.applicant import PDF, Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for

HOLD_THE_RELAYS = """
import asyncio
from desk.chassis.bus import Relay

async def hold(self):
    await asyncio.sleep(3600)

Relay.send_batch = hold
"""


def unsent(desk: RunningDesk, service: str) -> int:
    with closing(sqlite3.connect(desk.folder / f"{service}.sqlite3")) as store:
        count: int = store.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()[0]
        return count


def _all_notices(desk: RunningDesk) -> list[dict[str, str]]:
    found: list[dict[str, str]] = desk.client.get("/demo/messages").json()
    return found if len(found) > 1 else []


def test_a_request_submitted_just_before_a_crash_reaches_the_expert_once(start_desk: Callable[..., RunningDesk]):
    first = start_desk(prelude=HOLD_THE_RELAYS)
    applicant = Applicant(first.client)
    applicant.identify()
    file = applicant.upload("مدرک.pdf", PDF)
    code = applicant.send(applicant.form(attachments=[file])).json()["tracking_code"]
    first.kill()
    assert unsent(first, "intake") == 1

    second = start_desk()
    expert = Expert(second.client)
    expert.receives(code)
    wait_for(lambda: unsent(second, "intake") == 0)
    assert [each["tracking_code"] for each in expert.requests()] == [code]
    assert second.client.get(f"/demo/files/{file}").content == PDF
    messages = wait_for(lambda: _all_notices(second))
    assert sorted(message["channel"] for message in messages) == ["email", "sms"]


def test_data_survive_a_graceful_restart(start_desk: Callable[..., RunningDesk]):
    first = start_desk()
    applicant = Applicant(first.client)
    code = applicant.submit()
    Expert(first.client).receives(code)
    assert first.stop() == 0

    second = start_desk()
    Expert(second.client).answer(code, "پاسخ پس از راه‌اندازی دوباره")
    returning = Applicant(second.client)
    assert returning.sees(code, "answered")["answer"]["text"] == "پاسخ پس از راه‌اندازی دوباره"
