"""The simulated civil registry as a server."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from desk.testing.ports import free_port

PASSWORD = "the-word-of-the-bus"
DEADLINE_SECONDS = 60.0
"""Generous, since the machine may be busy: only a failing test waits this long."""


@dataclass(frozen=True)
class Simulator:
    """The simulated registry as a server."""

    url: str

    async def turn(self, **knobs: Any) -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            (await client.put(f"{self.url}/control", json=knobs)).raise_for_status()

    async def inquiries(self) -> int:
        async with httpx.AsyncClient(timeout=60) as client:
            return int((await client.get(f"{self.url}/control")).json()["inquiries"])


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app with uvicorn in a thread."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server ended"
        assert time.monotonic() < deadline, "the server did not start"
        thread.join(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
