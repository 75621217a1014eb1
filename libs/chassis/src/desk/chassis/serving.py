"""A server that stops without dropping a request: readiness goes first, then the connections, the process last."""

import asyncio
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
"""How long a service goes on serving after it was told to stop: longer than the gateway keeps an idle connection to it,
longer than a peer does, and long enough for an orchestrator to notice that it is not ready."""
LATE_SECONDS = 1.0
"""How long what was connected just before the door closed may still ask."""


class DrainingServer(uvicorn.Server):
    """Serves on for a while after SIGTERM, takes leave of every connection, and only then closes its door.

    A server that closes an idle connection may do so while a request is on its way, and nobody can tell whether that
    request was heard. So each answer of the last seconds says that its connection ends with it, whoever keeps an idle
    one lets it go meanwhile, and when the door closes nobody holds a connection any more.
    """

    def __init__(self, config: uvicorn.Config, readiness: Readiness, drain_seconds: float) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._drain_seconds = drain_seconds
        self._told_at: float | None = None
        self._entering: set[asyncio.Future[tuple[asyncio.Transport, asyncio.Protocol]]] = set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain at the first SIGTERM; anything else, and a second one, stops it at once."""
        if sig != signal.SIGTERM or self._told_at is not None or self._drain_seconds <= 0:
            super().handle_exit(sig, frame)
            return
        self._readiness.stopping = True
        self._told_at = time.monotonic()

    async def on_tick(self, counter: int) -> bool:
        """Close the door when the time is up, and end a moment later."""
        if self._told_at is not None:
            over = time.monotonic() - self._told_at - self._drain_seconds
            if over >= 0:
                self.close_door()
            if over >= LATE_SECONDS:
                self.should_exit = True
        return await super().on_tick(counter)

    def close_door(self) -> None:
        """Take no more connections, but those that the system has already taken for this server.

        A busy loop comes late to its door. Whoever waits there has been told that the connection stands and may have
        sent a request; closing would break it off, and a gateway does not send a POST again that may have been heard.
        """
        for server in self.servers:
            doors = [socket.socket(fileno=os.dup(each.fileno())) for each in server.sockets]
            server.close()
            for door in doors:
                with door, suppress(BlockingIOError):
                    door.setblocking(False)
                    while True:
                        with suppress(ConnectionAbortedError):  # who did not wait
                            self._let_in(door.accept()[0])

    def _let_in(self, connection: socket.socket) -> None:
        entering = asyncio.ensure_future(asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection))
        self._entering.add(entering)
        entering.add_done_callback(self._entering.discard)

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg] # as uvicorn itself makes one
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


def serve(app: FastAPI, config: uvicorn.Config, drain_seconds: float) -> None:
    """Serve an app of :func:`desk.chassis.app.base_app` until told to stop."""
    readiness: Readiness = app.state.readiness
    server = DrainingServer(config, readiness, drain_seconds)
    with suppress(KeyboardInterrupt):  # raised again after an orderly end
        server.run()
    if not server.started:
        sys.exit(3)
