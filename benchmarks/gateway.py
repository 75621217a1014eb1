"""The gateway compared with no gateway, in one run: its overhead, its capacity, and the effect of an attack on others.

It needs nginx and PostgreSQL as the tests do. Behind the gateway a second nginx responds immediately, so that only
the gateway is measured.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import submit

from desk.local.gateway_table import load_table
from desk.security.logs import configure_logging
from desk.testing.gateway import GatewayServer, open_gateway
from desk.testing.ports import free_port
from desk.testing.postgres import open_postgres
from desk.testing.process import LocalProcess, find_program, new_folder

START = Path(__file__).resolve().parents[1] / "gateway" / "nginx" / "start"
SLOW_CONNECTIONS = 1000
SOURCES = 30_000
"""Number of client addresses; enough that none reaches its limit."""
BODY = b'{"province": "isfahan", "text": "' + b"x" * 600 + b'"}'
ANSWER_SECONDS = 10.0
REQUESTS_OF_A_CONNECTION = 900
"""nginx closes a connection after a thousand requests."""

QUICK = """
worker_processes 1; daemon off; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5; keepalive_requests 1000000;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 201 '{{"id": 1}}'; }} }}
}}
"""


@contextmanager
def quick_server() -> Iterator[str]:
    """Run an nginx that answers every request; yield its address."""
    folder, port = new_folder("quick"), free_port()
    (folder / "nginx.conf").write_text(QUICK.format(folder=folder, port=port), encoding="ascii")
    program = find_program("nginx", "/usr/sbin/nginx")
    process = LocalProcess(
        [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")], folder=folder
    )
    process.start()
    try:
        while True:
            with suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.02)
        yield f"127.0.0.1:{port}"
    finally:
        process.stop()
        process.close()


class Caller:
    """Sends requests on one connection, one after another, each from another address."""

    def __init__(self, address: str, first_source: int) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._address = (host, int(port))
        self._socket = self._connected()
        self._sources = itertools.count(first_source)
        self._left = REQUESTS_OF_A_CONNECTION

    def _connected(self) -> socket.socket:
        talk = socket.create_connection(self._address, timeout=ANSWER_SECONDS)
        talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return talk

    def ask(self, *, post: bool = False) -> float:
        """Send a request; return the seconds until the response."""
        if self._left == 0:
            self.close()
            self._socket, self._left = self._connected(), REQUESTS_OF_A_CONNECTION
        self._left -= 1
        number = next(self._sources) % SOURCES
        line = b"POST /api/requests" if post else b"GET /api/catalog"
        length = f"Content-Length: {len(BODY) if post else 0}\r\n"
        headers = (
            f" HTTP/1.1\r\nHost: desk\r\nX-Forwarded-For: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\r\n"
        )
        request = line + headers.encode() + length.encode() + b"\r\n" + (BODY if post else b"")
        begun = time.perf_counter()
        self._socket.sendall(request)
        answer = b""
        while not answer.endswith(b'{"id": 1}'):
            piece = self._socket.recv(65536)
            if not piece or not piece.startswith((b"HTTP/1.1 201", b"{")):
                raise SystemExit(f"an unexpected answer: {piece[:300]!r}")
            answer += piece
        return time.perf_counter() - begun

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def added(gateway: GatewayServer, upstream: str, rounds: int, count: int) -> None:
    """Print the overhead of the gateway: both ways in turn, the difference of the medians."""
    direct, through = Caller(upstream, 0), Caller(gateway.url, 0)
    differences = []
    for turn in range(rounds + 1):
        straight = statistics.median(direct.ask(post=True) for _ in range(count))
        around = statistics.median(through.ask(post=True) for _ in range(count))
        if turn:  # the first round warms up
            differences.append((around - straight) * 1000)
            print(f"  round {turn}: p50 {straight * 1000:.2f} ms without, {around * 1000:.2f} ms with")
    direct.close()
    through.close()
    print(f"  the gateway adds (p50): median {statistics.median(differences):.2f} ms, worst {max(differences):.2f} ms")


def _ask_for(url: str, seconds: float, first_source: int, counted: "multiprocessing.Queue[int]") -> None:
    caller, end, number = Caller(url, first_source), time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        caller.ask(post=True)
        number += 1
    counted.put(number)


def carried(url: str, seconds: float, callers: int) -> float:
    """Return the submissions per second through the gateway; clients and gateway share the machine."""
    counted: multiprocessing.Queue[int] = multiprocessing.Queue()
    asking = [
        multiprocessing.Process(target=_ask_for, args=(url, seconds, place * SOURCES // callers, counted))
        for place in range(callers)
    ]
    for each in asking:
        each.start()
    total = sum(counted.get(timeout=seconds + 60) for _ in asking)
    for each in asking:
        each.join()
    return total / seconds


def under_attack(gateway: GatewayServer, rounds: int, count: int) -> None:
    """Print the p99 of a normal client with and without slow connections, in turn, and their ratio (row 28)."""
    ratios = []
    for turn in range(rounds + 1):
        calm = _p99(gateway, count)
        with slow_connections(gateway.url):
            attacked = _p99(gateway, count)
        if turn:
            ratios.append(attacked / calm)
            print(f"  round {turn}: p99 {calm * 1000:.2f} ms in calm, {attacked * 1000:.2f} ms under attack")
    print(f"  p99 under attack / in calm: median {statistics.median(ratios):.2f} (worst {max(ratios):.2f})")


def _p99(gateway: GatewayServer, count: int) -> float:
    caller = Caller(gateway.url, int(time.time() * 1000) % SOURCES)
    took = sorted(caller.ask() for _ in range(count))
    caller.close()
    return took[int(count * 0.99)]


@contextmanager
def slow_connections(url: str) -> Iterator[None]:
    """Keep a thousand connections open that have sent half a header or half a body."""
    parts = urlsplit(url)
    halves = (
        b"GET / HTTP/1.1\r\nHost: desk\r\nX-Slow: ",
        b"POST /api/requests HTTP/1.1\r\nHost: desk\r\nX-Forwarded-For: 10.99.%d.1\r\nContent-Length: 9\r\n\r\n{",
    )
    with ExitStack() as stack:
        for number in range(SLOW_CONNECTIONS):
            half = halves[number % 2]
            talk = stack.enter_context(socket.create_connection((parts.hostname, parts.port)))
            talk.sendall(half % (number % 250) if b"%d" in half else half)
        yield


def one_worker(parallel: int, rounds: int, count: int) -> float:
    """Return the submissions per second that one worker of intake writes to PostgreSQL, without the cost of HTTP."""
    with open_postgres(settings={"fsync": "on", "full_page_writes": "on"}) as server:
        print(f"one worker of intake on PostgreSQL ({server.how}), {parallel} at a time")
        url = server.create_database("intake", "intake", "bench-password-of-postgres")
        return asyncio.run(submit.intake_alone(url, rounds=rounds, count=count, parallel=parallel))


def main() -> None:
    """Run all three measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=2000, help="requests per side and round")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the gateway carries what it can")
    parser.add_argument("--callers", type=int, default=6, help="connections it is then asked on")
    options = parser.parse_args()
    configure_logging(level="ERROR")
    worker = one_worker(16, options.rounds, 300)
    print(f"  intake: median {worker:.0f} submissions/s")
    with quick_server() as upstream:
        upstreams = {route.service: upstream for route in load_table().routes}
        with open_gateway(START, upstreams, trusted_proxies="127.0.0.1", workers="auto") as gateway:
            print("what the gateway adds to a submission, one at a time")
            added(gateway, upstream, options.rounds, options.count)
            print(f"what the gateway carries, {options.callers} at a time on this machine")
            rates = [carried(gateway.url, options.seconds, options.callers) for _ in range(3)]
            print(f"  {statistics.median(rates):.0f}/s: {statistics.median(rates) / worker:.1f} x one worker of intake")
            print(f"a normal client during {SLOW_CONNECTIONS} slow connections")
            under_attack(gateway, options.rounds, options.count)


if __name__ == "__main__":
    main()
