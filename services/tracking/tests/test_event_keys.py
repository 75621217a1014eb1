"""The keys for which offices encrypt their reports, and reports that are not encrypted for them."""

import json
from dataclasses import replace

import httpx
import pytest

from desk.chassis.bus import ContractError
from desk.testing.event_keys import decryptor_of, encrypted


async def test_the_public_keys_are_published(tracking):
    transport = httpx.ASGITransport(tracking.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
        answer = await client.get("/api/event-keys")
    assert answer.json() == {"keys": decryptor_of("tracking").public_keys()}
    assert [sorted(key) for key in answer.json()["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]
    assert answer.headers["cache-control"] == "public, max-age=300"


async def test_a_report_with_clear_data_is_refused_with_the_reason(tracking, submission, report, new_code):
    code = new_code()
    await tracking.bus.handle(submission(code))
    sent = report("case-received", code)
    envelope = json.loads(sent.body) | {"datacontenttype": "application/json"}
    clear = envelope | {"data": {"tracking_code": code, "at": "2026-12-13T11:00:00Z"}}
    with pytest.raises(ContractError, match="the data is not encrypted"):
        await tracking.bus.handle(replace(sent, body=json.dumps(clear).encode()))
    assert await tracking.state(code) == "registered"


async def test_a_report_for_another_receiver_is_refused(tracking, submission, report, new_code):
    code = new_code()
    await tracking.bus.handle(submission(code))
    sent = report("case-received", code)
    data = {"tracking_code": code, "at": "2026-12-13T11:00:00Z"}
    foreign = encrypted(json.loads(sent.body) | {"data": data}, "isfahan")
    with pytest.raises(ContractError, match="encrypted for other keys"):
        await tracking.bus.handle(replace(sent, body=json.dumps(foreign).encode()))
    assert await tracking.state(code) == "registered"
