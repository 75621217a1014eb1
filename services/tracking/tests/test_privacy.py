"""The command ``desk-privacy`` on a database of its own."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from desk.chassis.crypto import new_key_pair, new_secret
from desk.database.audit import audit_entry
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.service_keys import key_pair
from desk.tracking.app import real_parts
from desk.tracking.privacy import COLUMNS, main
from desk.tracking.settings import Settings

pytestmark = pytest.mark.usefixtures("logged")
"""The log must not go to the standard output."""


@pytest.fixture
def run(tracking: Any, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command on the database of the test, and return what it prints."""
    values = {
        "DATABASE_URL": database_url,
        "VAULT_KEYS": f"k1:{new_secret()}",
        "INDEX_KEY": new_secret(),
        "BROKER_URL": "memory://",
        "BUDGET_URL": "memory://",
        "TOKEN_PRIVATE_KEY": new_key_pair()[0],
        "SERVICE_PRIVATE_KEY": key_pair("tracking")[0],
        "EVENT_PRIVATE_KEYS": json.dumps([event_key_pair("tracking")[0]]),
        "EVENT_PUBLIC_KEYS": json.dumps(event_public_keys(*Settings.receivers)),
    } | dict.fromkeys(("CAPTCHA_URL", "INTAKE_URL", "REGISTRY_URL"), "http://peer")
    for name, value in values.items():
        monkeypatch.setenv(f"DESK_TRACKING_{name}", value)
    monkeypatch.setattr("desk.tracking.privacy.configure_logging", lambda *_: None)
    monkeypatch.setattr(
        "desk.tracking.privacy.real_parts",
        lambda settings: replace(real_parts(settings), vault=tracking.parts.vault, intake=tracking.parts.intake),
    )

    async def run(*arguments: str) -> str:
        await asyncio.to_thread(main, arguments)
        return capsys.readouterr().out

    return run


async def test_an_erasure_prints_a_certificate_without_personal_data(tracking, run, secrets_of_people):
    code = await tracking.submit()

    certificate = json.loads(await run("erase", code, "--reason", "court-order"))

    assert certificate["tracking_code"] == code
    assert certificate["reason"] == "court-order"
    assert certificate["erased"] == {"tracking": {"requests": 1, "texts": 0, "keys": 1}}
    assert [each["name"] for each in certificate["asked"]] == ["intake", "isfahan", "notifier"]
    assert certificate["complete"] is False
    assert json.loads(await run("certificate", code)) == certificate
    assert json.loads(await run("erase", code, "--reason", "mistake")) == certificate
    assert json.loads(await run("pending")) == [certificate]
    assert not [secret for secret in secrets_of_people if secret in json.dumps(certificate, ensure_ascii=False)]


async def test_the_statistics_are_csv_with_small_counts_suppressed(tracking, run):
    code = await tracking.submit()
    await run("erase", code, "--reason", "applicant")
    lines = (await run("statistics")).splitlines()
    assert lines == [
        ",".join(COLUMNS),
        "1405-09,isfahan,hajj_deposit,lost_receipt,registered,<5,",
        "1405-09,isfahan,hajj_deposit,all,all,<5,",
    ]


async def test_an_unknown_code_ends_the_command_with_one_line(run, new_code):
    for arguments in (("erase", new_code(), "--reason", "applicant"), ("certificate", new_code())):
        with pytest.raises(SystemExit) as ended:
            await run(*arguments)
        assert str(ended.value).startswith("desk-privacy: ")
        assert "\n" not in str(ended.value)


async def test_an_unknown_code_needs_to_be_confirmed(tracking, run, new_code):
    code = new_code()
    with pytest.raises(SystemExit, match="--unknown"):
        await run("erase", code, "--reason", "mistake")
    assert await tracking.published("request-erased") == []

    certificate = json.loads(await run("erase", code, "--reason", "mistake", "--unknown"))

    assert certificate["tracking_code"] == code
    assert json.loads(await run("certificate", code)) == certificate


async def test_a_mistyped_code_is_refused_even_if_it_is_confirmed(tracking, run, new_code):
    code = new_code()
    for wrong in (code[:-1] + str((int(code[-1]) + 1) % 10), code[:-1], f"{code}0", "abc"):
        with pytest.raises(SystemExit) as ended:
            await run("erase", wrong, "--reason", "mistake", "--unknown")
        assert ended.value.code == 2
    assert await tracking.published("request-erased") == []


@pytest.mark.parametrize(
    ("options", "actor"), [(("--by", "maryam"), "operator maryam"), ((), "operator of-the-system")]
)
async def test_the_audit_log_names_the_operator(tracking, run, monkeypatch, options, actor):
    monkeypatch.setenv("LOGNAME", "of-the-system")
    code = await tracking.submit()
    await run("erase", code, "--reason", "court-order", *options)
    [entry] = await tracking.rows(select(audit_entry).where(audit_entry.c.action == "erased"))
    assert (entry.actor, entry.subject, entry.about) == (actor, code, "court-order")


@pytest.mark.parametrize("reason", ["retention", "restored", "because"])
async def test_only_reasons_of_people_are_accepted(run, new_code, reason):
    with pytest.raises(SystemExit) as ended:
        await run("erase", new_code(), "--reason", reason)
    assert ended.value.code == 2


async def test_an_erasure_that_cannot_be_listed_ends_the_command_with_one_line(tracking, run):
    code = await tracking.submit()
    tracking.peers.intake = httpx.Response(503, json={"code": "storage_unavailable"})
    for arguments in (("erase", code, "--reason", "applicant"), ("repeat",)):
        with pytest.raises(SystemExit, match=r"^desk-privacy: intake or the object store is unavailable"):
            await run(*arguments)
    assert await tracking.state(code) == "registered"
