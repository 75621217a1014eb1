"""Whose client address is trusted, how services receive it, and how many requests a source may send."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from gateway.conftest import OpenGateway, Sources
from gateway.raw import connect, say, status_of
from gateway.upstream import Upstream
from support.embedded_desk import wait_for

from desk.local.gateway_table import GATEWAY, load_table
from desk.testing.gateway import GatewayServer

TABLE = load_table()
SPOOFED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
    "X-Request-Id": "mine-mine-mine",
}


def _received_by_intake(url: str, upstreams: dict[str, Upstream], headers: dict[str, str]) -> dict[str, str]:
    upstreams["intake"].received.clear()
    assert httpx.get(f"{url}/api/receipt-keys", headers=headers, trust_env=False).status_code == 200
    [received] = upstreams["intake"].received
    return received.headers


def test_no_proxy_is_trusted_by_default(start_gateway: OpenGateway, upstreams: dict[str, Upstream]):
    received = _received_by_intake(start_gateway().url, upstreams, SPOOFED | {"X-Forwarded-Proto": "https"})
    assert received["x-forwarded-for"] == "127.0.0.1"
    assert received["x-forwarded-proto"] == "http"
    assert received["x-request-id"] != "mine-mine-mine"


def test_only_the_configured_networks_are_trusted(start_gateway: OpenGateway, upstreams: dict[str, Upstream]):
    nginx = start_gateway(trusted_proxies="10.0.0.0/8, 192.168.7.1 fd00::/8")
    received = _received_by_intake(nginx.url, upstreams, SPOOFED)
    assert received["x-forwarded-for"] == "127.0.0.1"
    assert received["x-request-id"] != "mine-mine-mine"


def test_the_address_from_a_trusted_proxy_is_used(gateway: GatewayServer, upstreams: dict[str, Upstream]):
    headers = {"X-Forwarded-For": "5.112.3.4", "X-Forwarded-Proto": "https", "X-Request-Id": "of-the-proxy"}
    received = _received_by_intake(gateway.url, upstreams, headers)
    assert received["x-forwarded-for"] == "5.112.3.4"
    assert received["x-forwarded-proto"] == "https"
    assert received["x-request-id"] == "of-the-proxy"


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_a_client_does_not_choose_the_trace(start_gateway: OpenGateway, upstreams: dict[str, Upstream], trusted: str):
    chosen = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "vendor=1"}
    received = _received_by_intake(start_gateway(trusted_proxies=trusted).url, upstreams, chosen)
    assert not chosen.keys() & received.keys()
    assert re.fullmatch("[0-9a-f]{32}", received["x-request-id"])


def test_what_the_client_sent_before_the_address_of_the_proxy_is_ignored(
    gateway: GatewayServer, upstreams: dict[str, Upstream]
):
    received = _received_by_intake(gateway.url, upstreams, {"X-Forwarded-For": "6.6.6.6, 5.112.3.4, 127.0.0.1"})
    assert received["x-forwarded-for"] == "5.112.3.4"


@pytest.mark.parametrize("strange", ["short", "a b c d e f g h", "x" * 65, "name=value;name", "شناسه-شناسه"])
def test_an_invalid_request_id_is_replaced(strange: str, gateway: GatewayServer, upstreams: dict[str, Upstream]):
    answer = httpx.get(f"{gateway.url}/api/receipt-keys", headers={"X-Request-Id": strange.encode()}, trust_env=False)
    [received] = upstreams["intake"].received
    assert received.headers["x-request-id"] == answer.headers["x-request-id"]
    assert received.headers["x-request-id"] != strange


def _ask_often(base_url: str, path: str, times: int, source: str) -> list[httpx.Response]:
    with httpx.Client(base_url=base_url, headers={"X-Forwarded-For": source}, trust_env=False) as client:
        return [client.get(path) for _ in range(times)]


def test_a_flood_from_one_source_is_limited_and_other_sources_are_not(
    gateway: GatewayServer, upstreams: dict[str, Upstream], sources: Sources
):
    catalog = next(route for route in TABLE.routes if route.path == "/api/receipt-keys")
    flooding, others = sources.next(), sources.next()
    # On a machine of any speed: the burst is served, and not much more.
    with ThreadPoolExecutor(8) as threads:
        answers = [
            answer
            for some in threads.map(lambda _: _ask_often(gateway.url, "/api/receipt-keys", 100, flooding), range(8))
            for answer in some
        ]
    held_off = [answer for answer in answers if answer.status_code == 429]
    passed = [answer for answer in answers if answer.status_code == 200]
    assert len(held_off) + len(passed) == 800
    assert catalog.burst <= len(passed) == len(upstreams["intake"].received)
    assert held_off
    for answer in held_off:
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("rate_limited", "5")
    assert [answer.status_code for answer in _ask_often(gateway.url, "/api/receipt-keys", 5, others)] == [200] * 5


def test_each_route_is_counted_separately(gateway: GatewayServer, sources: Sources):
    source = sources.next()
    with ThreadPoolExecutor(8) as threads:
        statuses = {
            answer.status_code
            for some in threads.map(lambda _: _ask_often(gateway.url, "/api/receipt-keys", 100, source), range(8))
            for answer in some
        }
    assert 429 in statuses
    assert _ask_often(gateway.url, "/api/captchas/1/sound", 1, source)[0].status_code == 200
    assert _ask_often(gateway.url, "/", 1, source)[0].status_code == 200


def test_addresses_of_one_household_are_one_source_and_other_households_are_others(
    gateway: GatewayServer, upstreams: dict[str, Upstream]
):
    def statuses(address: str, times: int) -> list[int]:
        return [answer.status_code for answer in _ask_often(gateway.url, "/api/receipt-keys", times, address)]

    with ThreadPoolExecutor(8) as threads:
        many = [
            status
            for some in threads.map(lambda number: statuses(f"2a01:5ec0:1:2:{number:x}::1", 100), range(1, 9))
            for status in some
        ]
    assert 429 in many
    assert statuses("2a01:5ec0:1:3::1", 3) == [200] * 3
    assert statuses("2a01:5ec0::7", 3) == [200] * 3


def test_a_limited_person_gets_a_page(gateway: GatewayServer, sources: Sources):
    source = sources.next()
    with ThreadPoolExecutor(16) as threads:
        answers = [
            answer
            for some in threads.map(lambda _: _ask_often(gateway.url, "/help", 100, source), range(16))
            for answer in some
        ]
    held_off = [answer for answer in answers if answer.status_code == 429]
    assert held_off, "the machine is too slow to flood its own pages"
    page = (GATEWAY / "web" / "fa" / "errors" / "rate_limited.html").read_text(encoding="utf-8")
    assert {(answer.text, answer.headers["retry-after"]) for answer in held_off} == {(page, "5")}


def test_one_source_has_a_limited_number_of_simultaneous_requests(gateway: GatewayServer, sources: Sources):
    head = f"POST /api/tracking HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {sources.next()}\r\nContent-Length: 9\r\n\r\n{{"
    with ExitStack() as stack:
        for _ in range(40):  # within the burst of the route, so that only simultaneous requests count
            stack.enter_context(connect(gateway.url)).sendall(head.encode())
        pages = f"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {sources.next()}\r\nConnection: close\r\n\r\n"
        assert status_of(say(gateway.url, pages.encode())) == 200

        def refused() -> bool:
            talk = stack.enter_context(connect(gateway.url))
            talk.sendall(head.replace("tracking", "requests").encode())
            talk.settimeout(0.2)
            try:
                return status_of(talk.recv(65536)) == 429
            except TimeoutError:
                return False

        assert wait_for(refused)


def test_unknown_host_names_are_refused(start_gateway: OpenGateway, upstreams: dict[str, Upstream]):
    nginx = start_gateway(hosts="desk.example.ir, *.haj.example.ir")

    def status(host: str) -> int:
        return httpx.get(f"{nginx.url}/api/receipt-keys", headers={"Host": host}, trust_env=False).status_code

    assert [status(host) for host in ("desk.example.ir", "DESK.example.ir:8080", "a.haj.example.ir")] == [200] * 3
    assert [status(host) for host in ("127.0.0.1", "evil.example", "desk.example.ir.evil.example")] == [400] * 3
    absolute = (
        b"GET http://evil.example/api/receipt-keys HTTP/1.1\r\nHost: desk.example.ir\r\nConnection: close\r\n\r\n"
    )
    assert status_of(say(nginx.url, absolute)) == 400
    assert len([each for each in upstreams["intake"].received if each.path == "/api/receipt-keys"]) == 3
    assert httpx.get(nginx.health_url, trust_env=False).json() == {"status": "alive"}
