"""Every route of every service requires an authentication, except those in the table of public routes."""

import re

import httpx
import pytest

from desk.local.app import create_app
from desk.local.services import LocalSettings
from desk.testing.service_keys import InternalAuth

PUBLIC = {
    ("captcha", "POST", "/api/captchas"): "a challenge is the first step; issued within limits",
    ("captcha", "GET", "/api/captchas/{captcha_id}/sound"): "the random id of the challenge is known to its owner only",
    ("registry-gateway", "POST", "/api/identities"): "requires a proof of work, within limits",
    ("intake", "GET", "/api/catalog"): "public information",
    ("intake", "GET", "/api/catalog/previews/{preview}"): "only headquarters has the random part of the address",
    ("intake", "GET", "/api/receipt-keys"): "public keys",
    ("tracking", "GET", "/api/event-keys"): "public keys",
    ("tracking", "GET", "/api/figures"): "what the organization publishes; none by default",
    ("tracking", "POST", "/api/tracking"): "requires national ID, tracking code and a security code, within limits",
    (
        "tracking",
        "POST",
        "/api/tracking/requests",
    ): "requires national ID, a mobile and a code sent to it, within limits",
}
SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    return create_app(LocalSettings(tmp_path_factory.mktemp("desk"))).services


def declared(routes, prefix=""):
    """List the routes of a router and of the routers that it includes."""
    for route in routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            yield from declared(inner.routes, prefix)
        else:
            yield from ((method, route.path) for method in route.methods - {"HEAD"})


def routes_of(services):
    return [(name, *route) for name, app in services.items() for route in declared(app.router.routes)]


async def ask(app, method, path, **more):
    filled = re.sub(r"\{[^}]+\}", "11111111-1111-4111-8111-111111111111", path)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, filled, **more)


def test_the_walk_finds_the_routes_of_every_service(services):
    found = routes_of(services)
    assert {name for name, *_ in found} == set(SERVICES)
    assert {(name, method, path) for name, method, path in found if path.startswith("/api/")} >= PUBLIC.keys()
    assert len([path for *_, path in found if path.startswith("/internal/")]) >= 7


async def test_every_route_that_is_not_public_refuses_a_caller_without_a_token(services):
    for name, method, path in routes_of(services):
        if (name, method, path) not in PUBLIC:
            refused = await ask(services[name], method, path, json={})
            assert refused.status_code == 401, f"{name} answers {method} {path} with {refused.status_code}"


async def test_every_internal_route_refuses_the_token_of_a_service_with_another_key(services):
    for name, method, path in routes_of(services):
        if path.startswith("/internal/"):
            for caller in SERVICES:
                refused = await ask(services[name], method, path, json={}, auth=InternalAuth(caller, name))
                assert refused.status_code == 401, f"{name} answers {method} {path} with {refused.status_code}"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/support", "/docs", "/openapi.json"])
async def test_the_port_of_a_service_has_no_health_metrics_or_documents(services, path):
    assert {name: (await ask(app, "GET", path)).status_code for name, app in services.items()} == dict.fromkeys(
        SERVICES, 404
    )
