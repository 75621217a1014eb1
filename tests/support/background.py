"""An event loop in a background thread, and a mail server that runs in it."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from desk.testing.ports import free_port

T = TypeVar("T")


class BackgroundLoop:
    """An event loop in a background thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="background loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 60.0) -> T:
        """Run a coroutine in the loop and return its result. Raises TimeoutError after `seconds`."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class MailServer:
    """A mail server that accepts and stores every email (the part of RFC 5321 that a client needs)."""

    def __init__(self, loop: BackgroundLoop) -> None:
        self.mails: list[bytes] = []
        self.port = free_port()
        self._loop = loop
        self._server = loop.run(asyncio.start_server(self._talk, "127.0.0.1", self.port))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        try:
            await say("220 mail")
            while line := (await reader.readline()).strip().upper():
                if line == b"DATA":
                    await say("354 go on")
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                await say("221 bye" if line == b"QUIT" else "250 fine")
                if line == b"QUIT":
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # the sender was killed
        finally:
            writer.close()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            await self._server.wait_closed()

        self._loop.run(end())


class AsciiMailServer(MailServer):
    """A mail server that does not announce SMTPUTF8, and refuses commands and headers that are not ASCII."""

    def __init__(self, loop: BackgroundLoop) -> None:
        super().__init__(loop)
        self.recipients: list[str] = []

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())
            await writer.drain()

        await say("220 mail")
        try:
            while line := (await reader.readline()).strip():
                command = line[:4].upper()
                if not line.isascii():
                    await say("553 5.6.7 SMTPUTF8 is not supported")
                elif command == b"EHLO":
                    await say("250-mail", "250 8BITMIME")
                elif command == b"DATA":
                    await say("354 go on")
                    mail = await reader.readuntil(b"\r\n.\r\n")
                    accepted = mail.partition(b"\r\n\r\n")[0].isascii()
                    if accepted:
                        self.mails.append(mail)
                    await say("250 fine" if accepted else "554 5.6.1 headers are not ASCII")
                elif command == b"QUIT":
                    await say("221 bye")
                    break
                else:
                    if command == b"RCPT":
                        self.recipients.append(line.decode().partition("<")[2].partition(">")[0])
                    await say("250 fine")
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client closed the connection
        finally:
            writer.close()
