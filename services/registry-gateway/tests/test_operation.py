from dataclasses import replace

import pytest

from desk.database import Database, migrate
from desk.registry_gateway.app import create_app, real_parts
from desk.registry_gateway.domain import FailureKind, UnansweredError
from desk.testing.health import get_health


@pytest.fixture
def get(app):
    async def get(path):
        return await get_health(app, path)

    return get


async def test_no_personal_data_is_logged(  # noqa: PLR0917 - fixtures
    logged, post, ask, living, deceased, wrong, unknown, registry
):
    await post(ask(living))
    await post(ask(deceased))
    await post(wrong)
    await post(unknown)
    await post(ask(living, national_id="4798251411", birth_date="1361-12-30"))
    registry.failure = UnansweredError(FailureKind.DOWN, "timed out")
    await post(ask(living))
    registry.failure = RuntimeError("a bug")
    await post(ask(living))

    written = logged()

    assert "look-up recorded" in written
    assert "identity_not_matched" in written
    identity = living.identity
    for personal in (
        identity.national_id.value,
        identity.birth_date.isoformat(),
        identity.first_name,
        identity.last_name,
        deceased.identity.national_id.value,
        deceased.identity.last_name,
        unknown["national_id"],
        "4798251411",
        "1361-12-30",
        "198.51.100.7",
    ):
        assert personal not in written


async def test_the_service_is_ready_while_its_database_is_available(get):
    assert (await get("/health/ready")).status_code == 200


async def test_it_waits_for_its_tables_and_opens_its_ledger_when_they_are_there(  # noqa: PLR0917 - fixtures
    settings, parts, running, poster, ask, living, tmp_path
):
    url = f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    async with running(settings, replace(parts, database=Database(url))) as app:
        assert (await get_health(app, "/health/ready")).status_code == 503
        await migrate("desk.registry_gateway", url)
        assert (await get_health(app, "/health/ready")).status_code == 200
        assert (await poster(app)(ask(living))).status_code == 200


async def test_the_contract_names_the_route_its_input_and_every_refusal(app):
    contract = app.openapi()
    operation = contract["paths"]["/api/identities"]["post"]

    assert set(operation["responses"]) == {"200", "400", "404", "408", "413", "422", "429", "503"}
    query = contract["components"]["schemas"]["IdentityQuery"]
    assert query["properties"]["national_id"]["type"] == "string"
    assert query["properties"]["birth_date"]["type"] == "string"
    assert query["required"] == ["national_id", "birth_date"]


async def test_the_service_can_be_built_from_the_environment(settings, monkeypatch, logged):
    for name in ("database_url", "vault_keys", "index_key", "budget_url", "token_private_key", "service_private_key"):
        monkeypatch.setenv(f"DESK_REGISTRY_GATEWAY_{name.upper()}", getattr(settings, name).get_secret_value())
    monkeypatch.setenv("DESK_REGISTRY_GATEWAY_CAPTCHA_URL", "http://captcha:8000")
    monkeypatch.setenv("DESK_REGISTRY_GATEWAY_ADAPTER", "simulator")
    monkeypatch.setenv("DESK_REGISTRY_GATEWAY_SERVICE_PUBLIC_KEYS", "{}")

    app = create_app()

    assert "/api/identities" in app.openapi()["paths"]
    await app.state.services.identities._ledger._database.close()


async def test_two_apps_can_live_in_one_process(settings):
    first, second = (create_app(settings, parts=real_parts(settings)) for _ in range(2))

    assert first.state.services.identities is not second.state.services.identities
    await first.state.services.identities._ledger._database.close()
    await second.state.services.identities._ledger._database.close()
