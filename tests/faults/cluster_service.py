"""One address for all replicas of a service, as in a cluster: each new connection goes to one of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

from support.background import BackgroundLoop
from support.real_service import Service

from desk.testing.ports import free_port

CHUNK = 65536


class ClusterService:
    """Passes bytes on, without knowledge of requests and without retries."""

    def __init__(self, loop: BackgroundLoop, replicas: Sequence[Service]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._loop = loop
        self._replicas = list(replicas)
        self._turn = count()
        self._server = loop.run(asyncio.start_server(self._meet, "127.0.0.1", port))

    def remove(self, replica: Service) -> None:
        """Give a replica no new connections, as when a cluster has begun to stop it."""
        if replica in self._replicas:
            self._replicas.remove(replica)

    def add(self, replica: Service) -> None:
        """Give a replica connections, as when a cluster has seen that it is ready."""
        if replica not in self._replicas:
            self._replicas.append(replica)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replicas = tuple(self._replicas)
        chosen = replicas[next(self._turn) % len(replicas)]
        try:
            there, here = await asyncio.open_connection("127.0.0.1", chosen.port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self._pass_on(reader, here), self._pass_on(there, writer))

    @staticmethod
    async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(CHUNK):
                writer.write(piece)
                await writer.drain()
        writer.close()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()

        self._loop.run(end())
