"""Connections to the mail server, kept open between emails: opening one costs more than an email."""

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

TIMEOUT_SECONDS = 6.0
IDLE_SECONDS = 20.0
"""After that an unused connection is closed, before the mail server or a firewall does it."""
LIFETIME_SECONDS, EMAILS_MAX = 300.0, 100
"""After that a connection is not kept, so that a mail server behind a balancer gets its share again."""


class ConnectionClosedError(Exception):
    """The mail server had closed a kept connection: it has certainly not accepted the email."""


@dataclass(slots=True, eq=False)
class Connection:
    """A connection, and what it was used for."""

    client: aiosmtplib.SMTP
    opened_at: float
    emails: int = 0

    async def transfer(self, sender: str, recipient: str, email: bytes) -> None:
        """Submit one email. After an exception the connection is closed.

        Raises ConnectionClosedError if a kept connection ended before the content was sent; SMTPRecipientRefused,
        SMTPDataError or another SMTPException.
        """
        try:
            await self._begin(sender, recipient)
            await self.client.data(email)
        except BaseException:
            self.client.close()
            raise
        self.emails += 1

    async def _begin(self, sender: str, recipient: str) -> None:
        try:
            await self.client.mail(sender)
            await self.client.rcpt(recipient)
        except aiosmtplib.SMTPServerDisconnected:
            if self.emails:
                raise ConnectionClosedError from None
            raise
        except aiosmtplib.SMTPResponseException as error:
            if self.emails and error.code == aiosmtplib.SMTPStatus.domain_unavailable:
                raise ConnectionClosedError from None
            raise

    @property
    def worth_keeping(self) -> bool:
        """Whether more emails may be sent over it."""
        return (
            self.client.is_connected
            and self.emails < EMAILS_MAX
            and time.monotonic() - self.opened_at < LIFETIME_SECONDS
        )

    async def quit(self) -> None:
        """End the session, as RFC 5321 requires."""
        with suppress(aiosmtplib.SMTPException, OSError):
            await self.client.quit()
        self.client.close()


class SmtpConnections:
    """Opens connections, and keeps those that are not in use."""

    def __init__(
        self, *, host: str, port: int, tls: Literal["none", "starttls", "tls"], user: str | None, password: str | None
    ) -> None:
        self._host, self._port, self._tls, self._user, self._password = host, port, tls, user, password
        self._context = None if tls == "none" else ssl.create_default_context()
        self._kept: dict[Connection, asyncio.TimerHandle] = {}
        self._quitting = set[asyncio.Task[None]]()

    async def submit(self, sender: str, recipient: str, email: bytes) -> None:
        """Submit one email over a kept connection, or over a new one. Raises SMTPException or OSError."""
        while (connection := self._take()) is not None:
            try:
                return await self._transfer(connection, sender, recipient, email)
            except ConnectionClosedError:
                continue
        return await self._transfer(await self._open(), sender, recipient, email)

    async def check(self) -> None:
        """Open a session, which logs in, and end it. Raises SMTPException or OSError."""
        await (await self._open()).quit()

    async def close(self) -> None:
        """End all sessions."""
        while (connection := self._take()) is not None:
            self._quit(connection)
        await asyncio.gather(*self._quitting)

    async def _transfer(self, connection: Connection, sender: str, recipient: str, email: bytes) -> None:
        await connection.transfer(sender, recipient, email)
        if connection.worth_keeping:
            later = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire, connection)
            self._kept[connection] = later
        else:
            self._quit(connection)

    def _take(self) -> Connection | None:
        """Return the connection that was used last, so that those that are not needed expire."""
        while self._kept:
            connection, expiry = self._kept.popitem()
            expiry.cancel()
            if connection.client.is_connected:
                return connection
        return None

    def _expire(self, connection: Connection) -> None:
        del self._kept[connection]
        self._quit(connection)

    def _quit(self, connection: Connection) -> None:
        task = asyncio.create_task(connection.quit())
        self._quitting.add(task)
        task.add_done_callback(self._quitting.discard)

    async def _open(self) -> Connection:
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
            tls_context=self._context,
            username=self._user,
            password=self._password,
            timeout=TIMEOUT_SECONDS,
        )
        await client.connect()
        return Connection(client, time.monotonic())
