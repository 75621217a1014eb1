"""A server that stops without dropping a request: first not ready, then no new connections, then exit."""

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from desk.chassis.health import Readiness

DRAIN_SECONDS = 5.0
"""How long a service keeps serving after SIGTERM: longer than the gateway or a peer keeps an idle connection to it, and
long enough for an orchestrator to notice that it is not ready."""
LATE_SECONDS = 1.0
"""How long a connection accepted last may still send a request."""


GARBAGE_THRESHOLDS = (10_000, 20, 50)
"""Of the generations of Python's garbage collector. The default first one, 700, is reached within each request."""


def settle_memory() -> None:
    """Exempt what the start has created, which stays until the end, from garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


class DrainingServer(uvicorn.Server):
    """Keeps serving for some seconds after SIGTERM, ends every connection with a response, then stops accepting.

    A server that closes an idle connection may do so while a request is on its way, and the client cannot know whether
    the request was processed. So each response during the drain closes its connection, clients drop idle connections
    within that time, and no connection is left when the server stops accepting.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        readiness: Readiness,
        drain_seconds: float,
        health: uvicorn.Config | None = None,
    ) -> None:
        """``health`` is served on a port of its own, from after the start until the end."""
        super().__init__(config)
        self._health = _HealthServer(health) if health is not None else None
        self._readiness = readiness
        self._drain_seconds = drain_seconds
        self._draining_since: float | None = None
        self._accepting: set[asyncio.Future[tuple[asyncio.Transport, asyncio.Protocol]]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, the health port last."""
        await super().startup(sockets)
        if self._health is not None:
            await self._health.open()
        settle_memory()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to serve, the health port last."""
        await super().shutdown(sockets)
        if self._health is not None:
            await self._health.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain at the first SIGTERM. Any other signal, or a second one, stops the server immediately."""
        if sig != signal.SIGTERM or self._draining_since is not None or self._drain_seconds <= 0:
            super().handle_exit(sig, frame)
            return
        self._readiness.stopping = True
        self._draining_since = time.monotonic()

    async def on_tick(self, counter: int) -> bool:
        """Stop accepting when the drain time has passed, and exit a moment later."""
        if self._draining_since is not None:
            over = time.monotonic() - self._draining_since - self._drain_seconds
            if over >= 0:
                self.stop_accepting()
            if over >= LATE_SECONDS:
                self.should_exit = True
        return await super().on_tick(counter)

    def stop_accepting(self) -> None:
        """Accept no more connections, except those that are already in the listen queue.

        For a client a connection in the listen queue is established, and it may have sent a request. Closing the socket
        would reset it, and a gateway does not retry a POST that may have been processed.
        """
        for server in self.servers:
            listeners = [socket.socket(fileno=os.dup(each.fileno())) for each in server.sockets]
            server.close()
            for listener in listeners:
                with listener, suppress(BlockingIOError):
                    listener.setblocking(False)
                    while True:
                        with suppress(ConnectionAbortedError):  # the client has left the queue
                            self._accept(listener.accept()[0])

    def _accept(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        accepting = asyncio.ensure_future(loop.connect_accepted_socket(self._protocol, connection))
        self._accepting.add(accepting)
        accepting.add_done_callback(self._accepting.discard)

    def _protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg] # as uvicorn creates it
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


class _HealthServer(uvicorn.Server):
    """Serves the health app in the event loop of another server, which handles the signals."""

    async def open(self) -> None:
        """Accept connections."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup()

    async def close(self) -> None:
        """End all connections."""
        await self.shutdown()


def serve(app: FastAPI, config: uvicorn.Config, drain_seconds: float, health: uvicorn.Config) -> None:
    """Serve an app of :func:`desk.chassis.app.base_app` until a signal stops it, and its health app with it."""
    readiness: Readiness = app.state.readiness
    server = DrainingServer(config, readiness, drain_seconds, health)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after the shutdown
        server.run()
    if not server.started:
        sys.exit(3)
