"""Erasure at intake: keys, rows and objects, in any order with other events, and with the object store down."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from desk.chassis.storage import ObjectStoreUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.intake.workers.erasure import ErasureTask, RequestNotVisibleError
from desk.testing.event_keys import decrypted

pytestmark = pytest.mark.usefixtures("no_erasures_in_the_background")
ERASED = "request-erased"
CERTIFICATE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.fixture
def no_erasures_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test alone decide when objects are deleted."""

    async def do_nothing(_task: ErasureTask) -> None: ...

    monkeypatch.setattr(ErasureTask, "run_once", do_nothing)


@pytest.fixture
def task(desk: Any) -> ErasureTask:
    services = desk.app.state.services
    parts = desk.parts
    return ErasureTask(parts.database, parts.vault, services.submission.outbox, parts.storage, Telemetry("intake"))


@pytest.fixture
async def code(desk: Any) -> str:
    """A request with two files."""
    answer = await desk.submit(key="key-of-the-request", attachments=[await desk.attachment(), await desk.attachment()])
    assert answer.status_code == 201, answer.text
    return str(answer.json()["tracking_code"])


async def erase(desk: Any, code: str, certificate: str = CERTIFICATE) -> None:
    await desk.publish_from_tracking(ERASED, code, reason="applicant", certificate_id=certificate)


async def acknowledgements(desk: Any) -> list[dict[str, Any]]:
    rows = await desk.select("SELECT body FROM outbox WHERE routing_key LIKE 'request-erasure-done.%'")
    return [decrypted(body, "tracking")["data"] for (body,) in rows]


async def test_an_erasure_removes_keys_rows_and_objects(desk, code, task):
    files = [row[0] for row in await desk.select("SELECT id FROM attachment")]

    await erase(desk, code)
    [row] = await desk.select("SELECT owner_index, fingerprint, personal, content_index, mobile_index FROM request")
    assert row == ("", "", b"", None, None)
    assert await desk.count("attachment") == await desk.count("data_key") == 0
    assert len(await desk.objects()) == 2, "only what nothing can decrypt"
    assert await acknowledgements(desk) == []

    assert await task.finish_next()
    assert not await task.finish_next()

    assert await desk.objects() == set()
    assert await desk.count("erased_object") == 0
    [done] = await acknowledgements(desk)
    assert done["certificate_id"] == CERTIFICATE
    assert done["removed"] == {"requests": 1, "files": 2, "keys": 3}
    assert not [each for each in files if each in json.dumps(done)]


async def test_the_object_store_may_be_down_for_a_while(desk, code, task):
    desk.storage.down = True
    await erase(desk, code)
    with pytest.raises(ObjectStoreUnavailableError):
        await task.finish_next()
    assert await desk.count("data_key") == 0
    assert await acknowledgements(desk) == []

    desk.storage.down = False
    assert await task.finish_next()
    assert len(await acknowledgements(desk)) == 1


async def test_several_offices_cause_one_erasure(desk, code, task):
    for _ in range(3):
        await erase(desk, code)
    while await task.finish_next():
        pass
    assert len(await acknowledgements(desk)) == 1


async def test_an_erasure_before_the_submission_is_visible_is_retried(desk):
    with pytest.raises(RequestNotVisibleError):
        await erase(desk, "123456789018")
    assert await desk.count("erasure") == 0


async def test_a_repeated_submission_of_an_erased_request_is_refused(desk, code, problem_of):
    await erase(desk, code)
    answer = await desk.submit(key="key-of-the-request")
    assert problem_of(answer, 422)["code"] == "idempotency_key_reused"
    assert await desk.count("request") == 1


async def test_late_events_about_an_erased_request_are_ignored(desk, code):
    await erase(desk, code)
    await desk.publish_from_tracking("request-referred", code, province={"key": "fars", "name": "فارس"})
    await desk.publish_from_tracking(
        "request-replied", code, text="پاسخ", files=[{"id": str(uuid.uuid4()), "name": "x"}]
    )
    await desk.publish_from_tracking("request-pending-withdrawn", code)
    assert await desk.count("handover") == await desk.count("attachment") == await desk.count("data_key") == 0


async def test_tracking_finds_no_erased_request(desk, code):
    form = {"national_id": "0013542419", "tracking_code": code}
    assert (await desk.client.post("/internal/requests/find", json=form)).status_code == 200
    await erase(desk, code)
    assert (await desk.client.post("/internal/requests/find", json=form)).status_code == 404
    form = {"tracking_code": code, "reply": "a" * 64, "files": [str(uuid.uuid4())]}
    assert (await desk.client.post("/internal/requests/files", json=form)).status_code == 404


async def test_a_pending_look_up_ends_with_the_erasure(desk, identity_check):
    typed = {"first_name": "زهره", "last_name": "رضائی", "gender": "female"}
    pending = {"sub": "0013542419", "birth_date": "1361-12-05", "status": "pending", "id_kind": "national_id"}
    answer = await desk.submit(applicant=typed, token=desk.token(pending))
    await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")
    desk.registry.hold.clear()
    checking = asyncio.create_task(identity_check().check_next())
    async with asyncio.timeout(60):
        while not desk.registry.asked:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)

    await erase(desk, answer.json()["tracking_code"])
    desk.registry.hold.set()

    await checking
    assert await desk.count("identity_check") == await desk.count("data_key") == 0
    routing_keys = [row[0] for row in await desk.select("SELECT routing_key FROM outbox")]
    assert [key for key in routing_keys if key.startswith("request-submitted")] == []


async def test_an_erasure_leaves_no_event_of_before_in_the_outbox(desk, code):
    other = (await desk.submit(key="key-of-another-request")).json()["tracking_code"]

    await erase(desk, code)

    rows = await desk.select("SELECT subject FROM outbox WHERE length(body) > 0")
    assert rows == [(other,)]
