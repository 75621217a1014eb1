"""A server that receives SIGTERM keeps serving, closes its connections with responses, and exits."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress

import httpx
import pytest
import uvicorn

from desk.chassis.app import base_app
from desk.chassis.serving import DrainingServer
from desk.chassis.telemetry import Telemetry
from desk.testing.ports import free_port

LONG = 60.0
"""Longer than any test: the drain is ended by the test itself."""


class Drained:
    """A running server, and the means to look at it."""

    def __init__(self, drain_seconds: float) -> None:
        self.app = base_app("drained", "Drained", Telemetry("drained"))
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()
        self.app.add_api_route("/slow", self._slow)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(self.app, port=self.port, log_config=None, access_log=False)
        health_port = free_port()
        self.health_url = f"http://127.0.0.1:{health_port}"
        health = uvicorn.Config(self.app.state.health, port=health_port, log_config=None, lifespan="off")
        self.server = DrainingServer(config, self.app.state.readiness, drain_seconds, health)
        self.server.capture_signals = nullcontext  # signals would end the tests

    async def _slow(self) -> dict[str, str]:
        self.asked.set()
        await self.may_answer.wait()
        return {"status": "answered"}

    async def answers(self) -> None:
        """Wait until the server accepts connections."""
        while not self.server.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)

    async def closes(self) -> None:
        """Wait until the server refuses connections."""
        with suppress(httpx.ConnectError):
            while True:
                async with httpx.AsyncClient(base_url=self.url) as another:
                    await another.get("/no-such-path")

    def stop(self) -> None:
        self.server.handle_exit(signal.SIGTERM, None)


@asynccontextmanager
async def running(drain_seconds: float) -> AsyncIterator[tuple[Drained, asyncio.Task[None]]]:
    drained = Drained(drain_seconds)
    serving = asyncio.create_task(drained.server.serve())
    async with asyncio.timeout(30):
        await drained.answers()
        yield drained, serving
        drained.may_answer.set()
        drained.server.should_exit = True
        await serving


async def test_a_draining_server_keeps_serving_and_is_not_ready():
    async with running(LONG) as (drained, serving), httpx.AsyncClient(base_url=drained.health_url) as client:
        assert (await client.get("/health/ready")).status_code == 200
        drained.stop()
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200
        assert not serving.done()


async def test_each_response_of_a_draining_server_closes_its_connection():
    async with running(LONG) as (drained, _), httpx.AsyncClient(base_url=drained.url) as client:
        drained.may_answer.set()
        assert "connection" not in (await client.get("/slow")).headers
        drained.stop()
        for path in ("/slow", "/no-such-path"):
            assert (await client.get(path)).headers["connection"] == "close"


async def test_a_running_request_is_answered_after_the_server_stopped_accepting():
    async with running(0.1) as (drained, serving), httpx.AsyncClient(base_url=drained.url, timeout=30) as client:
        waiting = asyncio.create_task(client.get("/slow"))
        await drained.asked.wait()
        drained.stop()
        await drained.closes()
        assert not serving.done()
        drained.may_answer.set()
        assert (await waiting).json() == {"status": "answered"}
        await serving


async def test_a_connection_in_the_listen_queue_is_answered():
    async with running(LONG) as (drained, _):
        drained.stop()
        waiting = [socket.create_connection(("127.0.0.1", drained.port)) for _ in range(3)]
        for each in waiting:
            each.sendall(b"GET /no-such-path HTTP/1.1\r\nHost: desk\r\n\r\n")
        drained.server.stop_accepting()  # before the loop has come to look
        for each in waiting:
            reader, writer = await asyncio.open_connection(sock=each)
            answer = await reader.read()
            assert (answer[:15], b"connection: close" in answer.lower()) == (b"HTTP/1.1 404 No", True)
            writer.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", drained.port))


async def test_without_a_drain_time_the_server_stops_immediately():
    async with running(0) as (drained, serving):
        drained.stop()
        assert drained.server.should_exit
        await serving


async def test_a_second_signal_stops_the_server_immediately():
    async with running(LONG) as (drained, serving):
        drained.stop()
        assert not drained.server.should_exit
        drained.stop()
        await serving
