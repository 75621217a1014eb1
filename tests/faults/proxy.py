"""A TCP proxy that can cut, delay, or leave connections half-open."""

import asyncio
from contextlib import suppress

from support.background import BackgroundLoop

from desk.testing.ports import free_port

CHUNK = 65536


class FaultProxy:
    """A proxy for one server, on its own port."""

    def __init__(self, loop: BackgroundLoop, host: str, port: int) -> None:
        self.port = free_port()
        self.delay = 0.0
        """Delay in seconds, in both directions."""
        self._loop, self._host, self._to = loop, host, port
        self._refusing = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = loop.run(asyncio.start_server(self._meet, "127.0.0.1", self.port))

    def cut(self) -> None:
        """Close every connection, and refuse new ones."""
        self._refusing = True
        self._loop.run(self._abort())

    def hang(self) -> None:
        """Pass nothing on, without closing: connections are half-open."""
        self._loop.run(self._set(flowing=False))

    def heal(self) -> None:
        """Pass everything on again; connections that hung are closed."""

        async def heal() -> None:
            if not self._flowing.is_set():
                await self._abort()
            await self._set(flowing=True)

        self._refusing, self.delay = False, 0.0
        self._loop.run(heal())

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            await self._abort()
            await self._set(flowing=True)
            await self._server.wait_closed()

        self._loop.run(end())

    async def _set(self, *, flowing: bool) -> None:
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _abort(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection(self._host, self._to)
            self._writers.add(back)
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        except OSError:
            pass
        finally:
            for each in (writer, *([back] if "back" in locals() else [])):
                self._writers.discard(each)
                each.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                await self._flowing.wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                target.write(chunk)
                await target.drain()
        with suppress(OSError, RuntimeError):
            target.write_eof()
