"""Connections that send as slowly as they may: row 16. The syntax of requests is in tests/gateway."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from attacks.attacked_desk import AttackedDesk
from gateway.raw import connect, status_of

pytestmark = pytest.mark.attacks

CLOSED_WITHIN_SECONDS = 60.0
PAUSE_SECONDS = 3.0
HEAD = b"POST /api/tracking HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n"


def drip(url: str, begin: bytes, address: str) -> tuple[float, bytes]:
    """Send a byte every few seconds; return after how many seconds the connection was closed, and the answer."""
    with connect(url) as talk:
        talk.sendall(begin.replace(b"Host: desk\r\n", f"Host: desk\r\nX-Forwarded-For: {address}\r\n".encode()))
        talk.settimeout(PAUSE_SECONDS)
        begun, answer = time.monotonic(), b""
        while time.monotonic() - begun < 2 * CLOSED_WITHIN_SECONDS:
            try:
                if not (piece := talk.recv(65536)):
                    break
                answer += piece
            except TimeoutError:
                if not _sends(talk):
                    break
            except ConnectionError:
                break
        return time.monotonic() - begun, answer


def _sends(talk: socket.socket) -> bool:
    try:
        talk.sendall(b"a")
    except ConnectionError:
        return False
    return True


def test_row_16_slow_headers_and_bodies_are_closed_within_a_minute_and_others_are_served(desk: AttackedDesk):
    source = desk.ipv4()
    slow = {
        "a body, as fast as nginx allows": HEAD + b"Content-Length: 1000\r\n\r\n{",
        "a chunked body": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        "a header": HEAD + b"X-Slow: ",
    }
    with ThreadPoolExecutor(len(slow)) as threads:
        running = {name: threads.submit(drip, desk.gateway.url, begin, source) for name, begin in slow.items()}
        honest = desk.person(desk.at(source))
        assert honest.submit()
        ended = {name: each.result() for name, each in running.items()}

    assert {name: seconds < CLOSED_WITHIN_SECONDS for name, (seconds, _) in ended.items()} == dict.fromkeys(slow, True)
    assert status_of(ended["a body, as fast as nginx allows"][1]) == 408
