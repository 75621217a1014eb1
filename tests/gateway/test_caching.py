"""The documents that nginx keeps for a while, so that a flood of visitors costs the services nothing."""

import httpx
import pytest
from gateway.upstream import Upstream

from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer

CACHED = [route for route in load_table().routes if route.cached]


@pytest.mark.parametrize("route", CACHED, ids=lambda route: route.path)
def test_a_cached_document_is_fetched_once_with_any_query(route, start_gateway, upstreams: dict[str, Upstream]):
    gateway: GatewayServer = start_gateway()
    answers = [httpx.get(f"{gateway.url}{route.path}{query}", trust_env=False) for query in ("", "?a=1", "?b=2")]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, route.service)] * 3
    assert len(upstreams[route.service].received) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.parametrize("route", CACHED, ids=lambda route: route.path)
def test_a_failure_is_not_kept(route, start_gateway, upstreams: dict[str, Upstream]):
    gateway: GatewayServer = start_gateway(services={route.service: "127.0.0.1:1"})
    assert httpx.get(f"{gateway.url}{route.path}", trust_env=False).status_code == 503

    assert upstreams[route.service].received == []


def test_only_the_catalogue_and_the_published_figures_are_cached():
    """What is cached is the same for everyone: no route with a token, and none that writes."""
    assert [(route.path, route.methods) for route in CACHED] == [
        ("/api/catalog", ("GET",)),
        ("/api/figures", ("GET",)),
    ]
