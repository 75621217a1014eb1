import asyncio

import httpx
import pytest
from pydantic import ValidationError

from desk.intake.settings import Settings
from desk.intake.store import AttachmentStore, RequestStore
from desk.testing.health import get_health


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
async def test_the_service_is_alive_and_ready(desk):
    assert (await get_health(desk.client, "/health/live")).json() == {"status": "alive"}
    assert (await get_health(desk.client, "/health/ready")).json() == {"status": "ready"}


def test_an_invalid_rate_limit_is_refused_at_startup(settings):
    with pytest.raises(ValidationError):
        Settings(**settings.model_dump() | {"uploads_per_identity": "many"})


async def test_the_contract_contains_every_error_status_of_the_public_routes(desk):
    paths = desk.app.openapi()["paths"]

    assert set(paths["/api/attachments"]["post"]["responses"]) == {
        "201", "400", "401", "408", "409", "413", "415", "422", "429", "503"
    }  # fmt: skip
    assert set(paths["/api/attachments/{attachment_id}"]["delete"]["responses"]) == {"204", "401", "404", "422", "503"}
    assert set(paths["/api/requests"]["post"]["responses"]) == {
        "201", "400", "401", "408", "409", "413", "422", "429", "503"
    }  # fmt: skip


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
async def test_the_service_checks_pending_identities_by_itself(desk):
    pending = {"sub": "0013542419", "birth_date": "1361-12-05", "status": "pending"}
    named = {"first_name": "زهرا", "last_name": "رضایی", "gender": "female"}
    desk.registry.answer = {"outcome": "matched", **named}
    await desk.submit(applicant=named, token=desk.token(pending))

    await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")

    assert [each.routing_key for each in await desk.events(2)] == [
        "request-pending.isfahan",
        "request-submitted.isfahan",
    ]


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
async def test_errors_log_nothing_personal(logged, desk, zahra, monkeypatch):
    file_id = await desk.attachment()
    form = desk.form(attachments=[file_id])
    code = (await desk.submit(form)).json()["tracking_code"]
    await desk.submit(form)
    await desk.submit(
        mobile="0912345678", email="zahra.rezaei@", text="قبض", landline={"area_code": "1", "number": "32211234"}
    )
    await desk.submit(captcha={"id": "unknown-one", "answer": "54321"})
    await desk.upload(b"MZ", "قبض.exe")
    await desk.upload(name="قبض.png")
    await desk.upload(token=desk.token()[:-4])
    await desk.client.post("/internal/requests/find", json={"national_id": zahra["sub"], "tracking_code": "0" * 12})
    await desk.client.post("/internal/requests/find", json={"national_id": "0013542418", "tracking_code": code})
    desk.captcha.override = httpx.ConnectError("no route")
    await desk.submit()
    desk.captcha.override = None
    pending = {"sub": zahra["sub"], "birth_date": zahra["birth_date"], "status": "pending"}
    named = {name: zahra[name] for name in ("first_name", "last_name", "gender")}
    await desk.submit(token=desk.token(pending), applicant=named | {"first_name": "زهرا1"})
    await desk.submit(token=desk.token(pending), applicant=named)
    desk.registry.answer = {"outcome": "matched", **named, "gender": "رضایی"}
    await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")
    async with asyncio.timeout(60):
        while "registry-gateway response invalid" not in logged():  # noqa: ASYNC110 - a log has no event to wait for
            await asyncio.sleep(0.05)
    await desk.change("ALTER TABLE outbox RENAME TO hidden_outbox")
    await desk.submit()
    await desk.change("ALTER TABLE hidden_outbox RENAME TO outbox")
    for store in (RequestStore, AttachmentStore):
        monkeypatch.setattr(store, "add", _break)
    await desk.submit()
    await desk.upload()

    written = logged()

    assert "captcha_expired" in written
    assert "unexpected error" in written
    for personal in (
        zahra["sub"],
        zahra["birth_date"],
        zahra["first_name"],
        "رضایی",
        "0013542418",
        "9123456789",
        "0912345678",
        "zahra.rezaei",
        "32211234",
        "قبض",
        "54321",
        "eyJ",
    ):
        assert personal not in written


async def _break(*_values, **_named):
    raise RuntimeError("a bug")
