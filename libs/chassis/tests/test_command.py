"""A served app as a process of its own: how it ends when it is told to."""

import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from desk.servers.ports import free_port

DEADLINE = 30.0
PROGRAM = textwrap.dedent(
    """
    import asyncio
    from desk.chassis.app import base_app
    from desk.chassis.command import Service, run
    from desk.chassis.telemetry import Telemetry

    def create_app():
        app = base_app("maker", "Maker", Telemetry("maker"))

        @app.get("/things")
        async def things():
            return {}

        @app.get("/slow")
        async def slow():
            await asyncio.sleep(1.5)
            return {"slow": True}

        return app

    run(Service("maker", create_app))
    """
)


class Maker:
    """A running service that drains for a while before it stops."""

    def __init__(self, drain_seconds: float) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", PROGRAM, "serve", "--port", str(self.port), "--drain-seconds", str(drain_seconds)]
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)
        self.wait(self.answers)

    def answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return self.client.get("/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def wait(self, condition) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.02)

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def draining() -> Iterator[Maker]:
    maker = Maker(drain_seconds=3)
    yield maker
    maker.close()


def test_a_draining_service_is_not_ready_and_serves_on_and_lets_its_callers_go(draining: Maker):
    draining.process.send_signal(signal.SIGTERM)
    draining.wait(lambda: draining.client.get("/health/ready").status_code == httpx.codes.SERVICE_UNAVAILABLE)

    answer = draining.client.get("/things")

    assert answer.status_code == httpx.codes.OK
    assert answer.headers["connection"] == "close"
    assert draining.client.get("/health/live").status_code == httpx.codes.OK
    assert draining.process.wait(DEADLINE) == 0


def test_a_service_that_serves_keeps_its_connections(draining: Maker):
    assert "connection" not in draining.client.get("/things").headers


def test_without_a_time_to_drain_it_ends_at_once_and_finishes_what_is_under_way(tmp_path: Path):
    maker = Maker(drain_seconds=0)
    try:
        with socket.create_connection(("127.0.0.1", maker.port), timeout=DEADLINE) as caller:
            caller.sendall(b"GET /slow HTTP/1.1\r\nHost: maker\r\n\r\n")
            maker.client.get("/things")  # answered after the slow one was taken
            maker.process.send_signal(signal.SIGTERM)
            heard = b""
            while part := caller.recv(4096):
                heard += part
        assert b"200 OK" in heard
        assert b'{"slow":true}' in heard
        assert maker.process.wait(DEADLINE) == 0
    finally:
        maker.close()
