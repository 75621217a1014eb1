"""Services start, stop and move while the gateway runs: what is retried, what is not, and how errors look."""

import asyncio
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from gateway.conftest import TRUSTED, OpenGateway, Sources
from gateway.upstream import ReceivedRequest, Upstream, fall_silent, hang_up
from support.background import BackgroundLoop
from support.embedded_desk import wait_for

from desk.local.gateway_table import GATEWAY
from desk.testing.gateway import GatewayServer
from desk.testing.ports import free_port

UNAVAILABLE = ("upstream_unavailable", "10")


@pytest.fixture
def pair() -> Iterator[list[Upstream]]:
    """Two replicas of intake."""
    replicas = [Upstream("first").start(), Upstream("second").start()]
    yield replicas
    for each in replicas:
        each.stop()


def _post(nginx: GatewayServer, path: str = "/api/requests", source: str = "10.8.0.1") -> httpx.Response:
    """Send a small request. The gateway counts it for ``source`` if it trusts the test as a proxy."""
    headers = {"X-Forwarded-For": source}
    return httpx.post(f"{nginx.url}{path}", content=b"{}", headers=headers, trust_env=False)


def _served_by(nginx: GatewayServer, times: int, source: str = "10.8.0.1") -> set[str]:
    return {_post(nginx, source=source).text for _ in range(times)}


def test_replicas_share_the_work(start_gateway: OpenGateway, pair: list[Upstream]):
    nginx = start_gateway({"intake": " ".join(each.address for each in pair)})
    assert _served_by(nginx, 10) == {"first", "second"}


def test_connections_to_a_service_are_kept(start_gateway: OpenGateway, pair: list[Upstream]):
    nginx = start_gateway({"intake": pair[0].address}, workers="1")
    for _ in range(20):
        assert _post(nginx).text == "first"
    assert len({received.connection for received in pair[0].received}) == 1


def test_a_post_goes_to_the_other_replica_if_one_refuses_the_connection(
    start_gateway: OpenGateway, pair: list[Upstream]
):
    nginx = start_gateway({"intake": ",".join(each.address for each in pair)})
    pair[0].stop()
    assert [_post(nginx).text for _ in range(20)] == ["second"] * 20
    assert len(pair[1].received) == 20
    pair[0].start()
    assert _served_by(nginx, 10) == {"first", "second"}, "a replica is used again after a fault"


def test_a_post_that_may_have_arrived_is_never_sent_twice(start_gateway: OpenGateway, pair: list[Upstream]):
    nginx = start_gateway({"intake": " ".join(each.address for each in pair)})
    for each in pair:
        each.misbehave = hang_up
    answer = _post(nginx)
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
    assert len(_received(pair)) == 1


def test_a_get_is_retried_once(start_gateway: OpenGateway, pair: list[Upstream]):
    nginx = start_gateway({"intake": " ".join(each.address for each in pair)})
    pair[0].misbehave = hang_up
    answers = [httpx.get(f"{nginx.url}/api/receipt-keys", trust_env=False).text for _ in range(10)]
    assert answers == ["second"] * 10
    pair[1].misbehave = hang_up
    pair[0].received.clear()
    pair[1].received.clear()
    assert httpx.get(f"{nginx.url}/api/receipt-keys", trust_env=False).status_code == 503
    assert len(_received(pair)) == 2


def _received(replicas: list[Upstream]) -> list[ReceivedRequest]:
    return [received for each in replicas for received in each.received]


@pytest.mark.parametrize("fault", ["refused", "hung up"])
def test_an_unavailable_service_is_reported_as_a_problem(
    fault: str, start_gateway: OpenGateway, upstreams: dict[str, Upstream]
):
    nginx = start_gateway({"tracking": f"127.0.0.1:{free_port()}"} if fault == "refused" else {})
    upstreams["tracking"].misbehave = hang_up
    answer = _post(nginx, "/api/tracking")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.headers["retry-after"]) == UNAVAILABLE
    assert answer.json()["status"] == 503
    assert _post(nginx).text == "intake", "other services still work"


def test_an_error_of_a_service_is_passed_on_unchanged(client: httpx.Client, upstreams: dict[str, Upstream]):
    def refuse(handler: object) -> bool:
        body = b'{"code": "service_unavailable", "title": "own words"}'
        handler.send_response(503)
        for name, value in (
            ("Content-Type", "application/problem+json"),
            ("Retry-After", "77"),
            ("Content-Length", str(len(body))),
        ):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        return True

    upstreams["tracking"].misbehave = refuse
    answer = client.post("/api/tracking", json={})
    assert (answer.status_code, answer.json()["title"]) == (503, "own words")
    assert answer.headers.get_list("retry-after") == ["77"]


def test_a_slow_service_does_not_block_the_others(
    client: httpx.Client, upstreams: dict[str, Upstream], sources: Sources
):
    upstreams["tracking"].misbehave = fall_silent(1)
    with ThreadPoolExecutor(20) as threads:
        waiting = [
            threads.submit(client.post, "/api/tracking", json={}, headers={"X-Forwarded-For": sources.next()})
            for _ in range(20)
        ]
        assert client.get("/api/receipt-keys").text == "intake"
        assert [each.result().status_code for each in waiting] == [200] * 20


class NameServer(asyncio.DatagramProtocol):
    """Answers address queries (the part of RFC 1035 that nginx needs) from a table that may change."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        end = data.index(b"\0", 12) + 5
        question, kind = data[12:end], struct.unpack(">H", data[end - 4 : end - 2])[0]
        labels, place = [], 12
        while data[place]:
            labels.append(data[place + 1 : place + 1 + data[place]].decode())
            place += data[place] + 1
        known = self.addresses.get(".".join(labels))
        found = known or [] if kind == 1 else []
        head = data[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(found), 0, 0)
        answers = [
            b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 600, 4) + bytes(map(int, each.split("."))) for each in found
        ]
        assert self._transport is not None
        self._transport.sendto(head + question + b"".join(answers), addr)


@pytest.fixture
def names() -> Iterator[tuple[NameServer, str]]:
    """A name server and its address."""
    loop, server, port = BackgroundLoop(), NameServer(), free_port()

    async def open_it() -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, ("127.0.0.1", port))
        return transport

    async def close_it(transport: asyncio.DatagramTransport) -> None:
        transport.close()

    transport = loop.run(open_it())
    yield server, f"127.0.0.1:{port}"
    loop.run(close_it(transport))
    loop.close()


def test_a_name_is_resolved_again_when_containers_start_stop_and_move(
    start_gateway: OpenGateway, names: tuple[NameServer, str], sources: Sources
):
    server, address = names
    port = free_port()
    first, second, third = (
        Upstream(name, host, port) for name, host in (("1st", "127.0.0.1"), ("2nd", "127.0.0.2"), ("3rd", "127.0.0.3"))
    )
    try:
        nginx = start_gateway({"intake": f"intake.test:{port}"}, resolver=address, workers="1", trusted_proxies=TRUSTED)
        assert _post(nginx, source=sources.next()).json()["code"] == "upstream_unavailable", (
            "nginx starts before its services"
        )

        first.start()
        server.addresses["intake.test"] = ["127.0.0.1"]
        wait_for(lambda: _post(nginx, source=sources.next()).text == "1st", 30)

        second.start()
        server.addresses["intake.test"] = ["127.0.0.1", "127.0.0.2"]
        wait_for(lambda: {"1st", "2nd"} <= _served_by(nginx, 6, sources.next()), 30)

        first.stop()  # stopped, but still in DNS: no request that was not sent is lost
        assert _served_by(nginx, 20, sources.next()) == {"2nd"}

        third.start()
        server.addresses["intake.test"] = ["127.0.0.3"]
        second.stop()
        wait_for(lambda: _served_by(nginx, 6, sources.next()) == {"3rd"}, 30)
    finally:
        for each in (first, second, third):
            each.stop()


def test_the_pages_need_no_service(start_gateway: OpenGateway):
    nowhere = f"127.0.0.1:{free_port()}"
    nginx = start_gateway(dict.fromkeys(("captcha", "registry-gateway", "intake", "tracking", "notifier"), nowhere))
    for page in ("/", "/send", "/track", "/help"):
        assert httpx.get(f"{nginx.url}{page}", trust_env=False).status_code == 200
    unavailable = (GATEWAY / "web" / "errors" / "upstream_unavailable.json").read_text(encoding="utf-8")
    assert httpx.get(f"{nginx.url}/api/receipt-keys", trust_env=False).text == unavailable
