"""Mistakes of an office: in a report, in the settings of the broker, in its memory; each is named where it is made."""

import asyncio
import json
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from desk.chassis.crypto import new_key_pair
from desk.expert import (
    BrokerRefusedError,
    Case,
    DeskKeys,
    FileRefusedError,
    Files,
    Inbox,
    InvalidReportError,
    Report,
    Reports,
    SqliteMemory,
    Titled,
)
from desk.expert.encryption import import_keys
from desk.expert.report_data import check_data
from desk.testing.event_keys import decryptor_of, event_key_pair

PRIVATE_KEYS = [event_key_pair("isfahan")[0]]
CONTRACT = json.loads((Path(__file__).parents[2] / "contracts" / "desk.asyncapi.json").read_text(encoding="utf-8"))
CODE = "123456789018"
FILE = {"id": "1", "name": "a.pdf", "size": 1, "media_type": "application/pdf", "sha256": "0" * 64}
PART = {"key": "umrah"}


def desk_keys():
    key_set = {"keys": decryptor_of("tracking").public_keys()}
    return DeskKeys("http://desk", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=key_set)))


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("case-answered", {}, "data.text"),
        ("case-answered", {"text": ""}, "data.text"),
        ("case-answered", {"text": " \n"}, "data.text"),
        ("case-answered", {"text": "x" * 8001}, "data.text"),
        ("case-answered", {"text": 1}, "data.text"),
        ("case-answered", {"text": "x", "files": [FILE] * 11}, "data.files"),
        ("case-answered", {"text": "x", "files": [{"id": "1"}]}, "data.files.0.name"),
        ("case-info-requested", {"text": "x"}, "data.question"),
        ("case-rejected", {}, "data.reason"),
        ("case-referred", {"province": "fars"}, "data.reason"),
        ("case-referred", {"province": "fars", "reason": "x", "subject": PART}, "data.sub_subject"),
        ("case-referred", {"province": "fars", "reason": "x", "sub_subject": PART}, "data.sub_subject"),
        ("case-erased", {"certificate_id": "none"}, "data.certificate_id"),
        ("case-praised", {}, "name"),
    ],
)
def test_a_report_that_breaks_the_contract_is_not_made(name, data, field):
    with pytest.raises(InvalidReportError) as refusal:
        Report(str(uuid.uuid4()), name, CODE, 1, data)
    assert refusal.value.field == field
    assert refusal.value.rule in str(refusal.value)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "with space"}, "id"),
        ({"tracking_code": "123"}, "tracking_code"),
        ({"seq": 0}, "seq"),
        ({"seq": "1"}, "seq"),
        ({"at": datetime(2026, 11, 22, 9, 30)}, "at"),  # noqa: DTZ001 - the mistake of the test
    ],
)
def test_an_envelope_that_breaks_the_contract_is_not_made(changed, field):
    with pytest.raises(InvalidReportError) as refusal:
        Report(**{"id": "1", "name": "case-received", "tracking_code": CODE, "seq": 1, "data": {}, **changed})
    assert refusal.value.field == field


def test_the_library_knows_every_report_of_the_contract_and_its_required_fields():
    messages = CONTRACT["components"]["messages"]
    for name in (name for name in messages if name.startswith("case-") and name != "case-refused"):
        example = messages[name]["x-decrypted"]["example"]["data"]
        check_data(name, example)
        schema = CONTRACT["components"]["schemas"][messages[name]["x-decrypted"]["data"]["$ref"].rpartition("/")[2]]
        for field in set(schema["required"]) - {"tracking_code", "at"}:
            with pytest.raises(InvalidReportError):
                check_data(name, {key: value for key, value in example.items() if key != field})


async def test_a_referral_names_both_parts_of_a_subject_or_none():
    async def send(*_):
        pytest.fail("it was sent")

    case = Case("1", "request-submitted", CODE, {}, None, None, send, None)
    with pytest.raises(InvalidReportError, match="sub_subject"):
        await case.refer("fars", "آنجا", subject=Titled(key="umrah", title="عمره"))


async def test_a_wrong_text_is_noticed_before_files_are_uploaded(tmp_path):
    async def send(*_):
        pytest.fail("it was sent")

    case = Case("1", "request-submitted", CODE, {}, None, None, send, None)
    with pytest.raises(InvalidReportError, match=r"data\.text"):
        await case.answer("", [tmp_path / "missing.pdf"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.rpartition("/")[0] + "/nowhere", "no virtual host nowhere"),
        (lambda url: url.replace("isfahan%27s", "wrong%27s"), "user province.isfahan or its password"),
    ],
)
async def test_a_wrong_address_of_the_broker_says_what_is_wrong(broker_url, tmp_path, change, said):
    url, memory = change(broker_url("province.isfahan")), SqliteMemory(tmp_path / "memory")
    with pytest.raises(BrokerRefusedError, match=said):
        async with Inbox(url, "isfahan", memory, private_keys=PRIVATE_KEYS, desk_keys=desk_keys()):
            pass
    reports = Reports(url, "isfahan", desk_keys())
    with pytest.raises(BrokerRefusedError, match=said):
        await reports.send(Report("1", "case-received", CODE, 1, {}))
    await reports.close()


async def test_a_wrong_office_says_what_is_wrong(broker_url, tmp_path):
    url, memory = broker_url("province.isfahan"), SqliteMemory(tmp_path / "memory")
    with pytest.raises(BrokerRefusedError, match="may not consume or report for the office qom"):
        async with Inbox(url, "qom", memory, private_keys=PRIVATE_KEYS, desk_keys=desk_keys()):
            pass
    with pytest.raises(BrokerRefusedError, match="for the office atlantis"):
        async with Inbox(url, "atlantis", memory, private_keys=PRIVATE_KEYS, desk_keys=desk_keys()):
            pass
    reports = Reports(url, "qom", desk_keys())
    with pytest.raises(BrokerRefusedError, match="may not consume or report for the office qom"):
        await asyncio.wait_for(reports.send(Report("1", "case-received", CODE, 1, {})), 60)
    await reports.close()


async def test_a_lost_memory_continues_with_the_number_that_a_refusal_names(tmp_path):
    memory = SqliteMemory(tmp_path / "memory")
    assert await memory.number(CODE, "a") == 1

    await memory.continue_from(CODE, 5)
    await memory.continue_from(CODE, 5)  # the refusal is delivered again

    assert await memory.number(CODE, "b") == 5
    assert await memory.number(CODE, "a") == 1
    await memory.continue_from(CODE, 3)  # an older refusal
    assert await memory.number(CODE, "c") == 6


async def test_a_refused_assertion_names_its_parts():
    problem = {"code": "assertion_invalid", "title": "x", "errors": [{"field": "aud", "code": "a", "message": "y"}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=problem))
    files = Files("http://desk", "isfahan", new_key_pair()[0], transport=transport)
    with pytest.raises(FileRefusedError, match="aud: y") as refusal:
        await files.upload_content(CODE, "a.pdf", b"%PDF-1.4")
    assert refusal.value.faults == {"aud": "y"}


def test_a_time_with_a_zone_is_sent_in_utc():
    keys = import_keys(json.dumps({"keys": decryptor_of("tracking").public_keys()}).encode())
    report = Report(
        "1", "case-received", CODE, 1, {}, datetime(2026, 11, 22, 13, 0, tzinfo=timezone(timedelta(hours=3.5)))
    )
    assert json.loads(report.body("isfahan", keys))["time"] == "2026-11-22T09:30:00Z"
