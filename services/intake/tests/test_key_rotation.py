"""The change of the vault's and of the index key while old and new replicas serve the same database."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from desk.chassis.crypto import Vault
from desk.chassis.telemetry import Telemetry
from desk.intake.app import create_app
from desk.intake.operation import rotation
from desk.testing.service_keys import InternalAuth

KEY = "6b1f0f2e-59a1-4d0c-a9d5-0f6a2f5b7c11"
BEFORE = Vault({"k1": b"k" * 32, "k2": b"n" * 32}, b"i" * 32, b"j" * 32)
AFTER = Vault({"k2": b"n" * 32, "k1": b"k" * 32}, b"j" * 32, b"i" * 32)
ONLY_NEW = Vault({"k2": b"n" * 32}, b"j" * 32)


@pytest.fixture
def replica(desk, settings):
    """Start another replica of the same service with other keys; ``desk.client`` calls it meanwhile."""

    @asynccontextmanager
    async def replica(vault):
        app = create_app(settings, parts=replace(desk.parts, vault=vault, telemetry=Telemetry("another replica")))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        auth = InternalAuth("tracking", "intake")
        async with httpx.AsyncClient(transport=transport, base_url="http://intake", auth=auth) as client:
            desk.client, former = client, desk.client
            yield client
            desk.client = former

    return replica


@pytest.fixture
def find(desk, zahra):
    async def find(code):
        body = {"national_id": zahra["sub"], "tracking_code": code}
        return await desk.client.post("/internal/requests/find", json=body)

    return find


async def test_requests_are_found_before_and_after_the_rotation(desk, replica, find):
    old = (await desk.submit(attachments=[await desk.attachment()])).json()["tracking_code"]
    async with replica(AFTER):
        new = (await desk.submit()).json()["tracking_code"]
        assert [(await find(code)).status_code for code in (old, new)] == [200, 200]

        done = await rotation(desk.parts.database, AFTER).run()

    assert not any(each.left or each.unreadable for each in done)
    async with replica(ONLY_NEW):
        assert [(await find(code)).status_code for code in (old, new)] == [200, 200]


async def test_a_repeat_to_a_replica_with_the_new_key_returns_the_first_request(desk, replica):
    form = desk.form()
    async with replica(BEFORE):
        first = await desk.submit(form, key=KEY)
    async with replica(AFTER):
        again = await desk.submit(form, key=KEY)

    assert (first.status_code, again.json()) == (201, first.json())
    assert await desk.stored() == {"request": 1, "outbox": 1}


async def test_the_same_key_with_another_text_is_refused_across_index_keys(desk, replica, problem_of):
    form = desk.form()
    async with replica(BEFORE):
        await desk.submit(form, key=KEY)
    async with replica(AFTER):
        problem = problem_of(await desk.submit(form | {"text": "یک درخواست دیگر دارم."}, key=KEY), 422)

    assert problem["code"] == "idempotency_key_reused"


async def test_one_key_sent_to_old_and_new_replicas_at_once_makes_one_request(desk, replica):
    form = desk.form()
    async with replica(BEFORE) as before, replica(AFTER) as after:
        clients = [before, after] * 10
        headers = {"Idempotency-Key": KEY, "Authorization": f"Bearer {desk.token()}"}
        answers = await asyncio.gather(
            *(client.post("/api/requests", json=form, headers=headers) for client in clients)
        )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["tracking_code"] for answer in answers if answer.status_code == 201}) == 1
    assert await desk.stored() == {"request": 1, "outbox": 1}


async def test_a_file_uploaded_to_an_old_replica_is_submitted_to_a_new_one(desk, replica):
    async with replica(BEFORE):
        file_id = await desk.attachment()
    async with replica(AFTER):
        answer = await desk.submit(attachments=[file_id])

    assert answer.status_code == 201


async def test_the_files_of_a_request_get_the_hash_of_the_new_key(desk, zahra):
    await desk.submit(attachments=[await desk.attachment()])

    await rotation(desk.parts.database, AFTER).run()

    index = AFTER.index(zahra["sub"], "national_id")
    assert await desk.select("SELECT owner_index FROM attachment") == [(index,)]
