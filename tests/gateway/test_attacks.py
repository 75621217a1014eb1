"""Row 28: slow connections, smuggled requests, two hosts, a huge header; normal clients are served all the time."""

import time
from contextlib import ExitStack, suppress

import httpx
import pytest
from faults.scale import FULL
from gateway.conftest import OpenGateway, Sources
from gateway.raw import connect, say, status_of
from gateway.upstream import Upstream
from support.embedded_desk import wait_for

from desk.testing.gateway import GatewayServer

SLOW_CONNECTIONS = 1000
CLOSED_WITHIN_SECONDS = 60.0

POST = b"POST /api/requests HTTP/1.1\r\nHost: desk\r\n"
SECOND = b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\nX-Smuggled: yes\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + SECOND
UNREADABLE = {
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + CHUNKED,
    "two transfer encodings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + CHUNKED,
    "an unknown transfer encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED,
    "a list of transfer encodings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKED,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n" + CHUNKED,
    "a folded header": POST + b"X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + CHUNKED,
    "a tab before the value's end": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNKED,
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n" + CHUNKED,
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\n" + CHUNKED,
    "a signed length": POST + b"Content-Length: +5\r\n\r\n" + CHUNKED,
    "a negative length": POST + b"Content-Length: -5\r\n\r\n" + CHUNKED,
    "a length in hexadecimal": POST + b"Content-Length: 0x5\r\n\r\n" + CHUNKED,
    "a chunk without a size": POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n" + CHUNKED,
    "a chunk of an endless size": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + CHUNKED,
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "two hosts": b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\nHost: evil\r\n\r\n",
    "no host": b"GET /api/receipt-keys HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /api/receipt-keys HTTP/1.1\r\nHost:\r\n\r\n",
    "a host with a path": b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk/internal\r\n\r\n",
    "a bare carriage return": b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\rX: y\r\n\r\n",
    "a NUL in a header": b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\nX: a\0b\r\n\r\n",
    "a header of 100 KB": b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "1,000 headers": b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\n"
    + b"X-Some-Header: something\r\n" * 2000
    + b"\r\n",
    "an address of 20 KB": b"GET /api/receipt-keys?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: desk\r\n\r\n",
    "TLS on the plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a tunnel": b"CONNECT intake:8000 HTTP/1.1\r\nHost: intake:8000\r\n\r\n",
    "HTTP/2 without TLS": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_request_that_can_be_read_in_two_ways_is_refused(
    request_bytes: bytes, gateway: GatewayServer, upstreams: dict[str, Upstream]
):
    answer = say(gateway.url, request_bytes)
    if answer.startswith(b"HTTP/"):  # otherwise the connection was closed without a response
        assert status_of(answer) in {400, 405}
    assert answer.count(b"HTTP/1.1 ") <= 1, "the hidden second request was answered"
    assert [received for each in upstreams.values() for received in each.received] == []


def test_the_body_of_a_get_is_not_a_second_request(gateway: GatewayServer, upstreams: dict[str, Upstream]):
    length = f"Content-Length: {len(SECOND)}\r\nConnection: close\r\n\r\n".encode()
    answer = say(gateway.url, b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\n" + length + SECOND)
    assert answer.count(b"HTTP/1.1 ") == 1
    [received] = upstreams["intake"].received
    assert (received.path, received.body) == ("/api/receipt-keys", SECOND)
    assert "x-smuggled" not in received.headers


def test_two_requests_in_one_packet_are_two(gateway: GatewayServer, upstreams: dict[str, Upstream]):
    last = SECOND.replace(b"X-Smuggled: yes", b"Connection: close")
    answer = say(gateway.url, b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\n\r\n" + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert len(upstreams["intake"].received) == 2


HALVES = {
    "headers": b"GET /api/receipt-keys HTTP/1.1\r\nHost: desk\r\nX-Slow: ",
    "a body": POST + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    "nothing": b"",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_slow_connections_are_closed_and_block_no_other(
    half: bytes, gateway: GatewayServer, upstreams: dict[str, Upstream], sources: Sources
):
    if half == b"":
        half = b"" if FULL else b"\r\n"  # an idle connection has 60 s; one that has begun a request has 10
    with ExitStack() as stack, httpx.Client(base_url=gateway.url, trust_env=False) as healthy:
        healthy.headers["X-Forwarded-For"] = sources.next()
        slow = [stack.enter_context(connect(gateway.url)) for _ in range(SLOW_CONNECTIONS)]
        for number, talk in enumerate(slow):
            talk.setblocking(False)
            with suppress(ConnectionError):
                talk.sendall(
                    half.replace(
                        b"Host: desk\r\n", f"Host: desk\r\nX-Forwarded-For: 10.77.{number % 200}.1\r\n".encode()
                    )
                )

        def open_ones() -> int:
            return sum(not _is_closed(talk) for talk in slow)

        # Of another service: the small one that receives 1,000 bodies at once is slower than the gateway.
        assert healthy.get("/api/captchas/1/sound").status_code == 200
        begun, answered = time.monotonic(), 0
        while (left := open_ones()) and time.monotonic() - begun < CLOSED_WITHIN_SECONDS:
            for path in ("/api/captchas/1/sound", "/send"):
                assert healthy.get(path, timeout=5).status_code == 200
                answered += 1
            time.sleep(0.1)
        assert left == 0
        assert answered > 1
    bodies = {received.body for received in upstreams["intake"].received if received.method == "POST"}
    assert bodies <= {b"{"}, "bodies are passed on as they arrive, and the service limits their time"


def _is_closed(talk: object) -> bool:
    try:
        while talk.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def test_a_slow_but_steady_body_is_accepted(gateway: GatewayServer, upstreams: dict[str, Upstream]):
    with connect(gateway.url) as talk:
        talk.sendall(POST + b"Content-Length: 5\r\nConnection: close\r\n\r\n")
        for piece in (b"{", b'"', b"a"):
            talk.sendall(piece)
            time.sleep(0.05)
        talk.sendall(b'":')
        assert status_of(talk.recv(65536)) == 200
    wait_for(lambda: upstreams["intake"].received)


def test_a_spoofed_address_does_not_evade_the_limit(start_gateway: OpenGateway, upstreams: dict[str, Upstream]):
    nginx = start_gateway(trusted_proxies="10.0.0.0/8")
    with httpx.Client(base_url=nginx.url, trust_env=False) as client:
        statuses = [
            client.get(
                "/api/receipt-keys", headers={"X-Forwarded-For": f"5.5.{number // 250}.{number % 250}"}
            ).status_code
            for number in range(1000)
        ]
    assert 429 in statuses
    assert {received.headers["x-forwarded-for"] for received in upstreams["intake"].received} == {"127.0.0.1"}
