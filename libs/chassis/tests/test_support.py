"""What a service shows at its port for health, for support."""

import httpx

from desk.chassis.app import base_app
from desk.chassis.support import Described
from desk.chassis.telemetry import Telemetry
from desk.database import Schema, SchemaOutdatedError


async def shown(app):
    transport = httpx.ASGITransport(app.state.health)
    async with httpx.AsyncClient(transport=transport, base_url="http://maker") as client:
        response = await client.get("/support")
    assert response.status_code == 200
    return response.json()


async def test_a_database_without_migrations_is_shown_with_the_reason(store):
    schema = Schema(store.database, "0007")
    app = base_app("maker", "Maker", Telemetry("maker"), ready=schema.require, described=Described(None, schema))
    state = await shown(app)
    assert (state["ready"], state["migration_found"], state["migration_needed"]) == (False, None, "0007")
    assert state["reason"] == "the schema is missing, 0007 is needed: run `migrate`"


async def test_a_database_that_is_unavailable_is_shown_by_the_type_of_the_error():
    async def fail():
        raise ConnectionRefusedError("postgres://user:password@host")

    state = await shown(base_app("maker", "Maker", Telemetry("maker"), ready=fail))
    assert (state["ready"], state["reason"], state["settings"]) == (False, "ConnectionRefusedError", {})


async def test_a_service_that_stops_says_so():
    app = base_app("maker", "Maker", Telemetry("maker"))
    assert (await shown(app))["ready"] is True
    app.state.readiness.stopping = True
    assert (await shown(app))["reason"] == "stopping"


async def test_it_is_shown_again_after_a_schema_is_complete():
    outdated = [SchemaOutdatedError("the schema is 0006, 0007 is needed: run `migrate`")]

    async def check():
        for error in outdated:
            raise error

    app = base_app("maker", "Maker", Telemetry("maker"), ready=check)
    assert (await shown(app))["reason"] == str(outdated[0])
    outdated.clear()
    assert ((await shown(app))["ready"], (await shown(app))["reason"]) == (True, "")
