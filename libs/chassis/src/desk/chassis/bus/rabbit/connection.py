"""A connection to RabbitMQ with one channel: bounded in time, with the driver's errors turned into our own."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import make_url
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    ChannelClosed,
    ConnectionClosed,
    ProbableAuthenticationError,
)

from desk.chassis.bus.broker import BrokerUnavailableError

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 10
CONNECT_SECONDS = 4.0
CLOSE_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0
"""Back-off of a failed connection. Consumers must be back 15 s after a broker's restart."""

for _logger in ("aio_pika", "aiormq"):  # they log every fault several times, and print whole messages
    logging.getLogger(_logger).setLevel(logging.CRITICAL + 1)


@dataclass(slots=True)
class ChannelConnection:
    """One connection and its channel."""

    connection: AbstractConnection
    channel: AbstractChannel

    @property
    def usable(self) -> bool:
        """Whether connection and channel are open, as far as the driver knows."""
        return self.connection.connected.is_set() and not self.channel.is_closed

    async def close(self) -> None:
        """Close the connection; if the broker does not answer in time, drop it."""
        with suppress(*CONNECTION_EXCEPTIONS):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.connection.close()


def address(url: str, name: str) -> str:
    """Add heartbeat and connection name to a broker's URL; aio-pika 10 accepts them only there."""
    return str(make_url(url, heartbeat=HEARTBEAT_SECONDS, name=name))


def user_of(url: str) -> str | None:
    """Return the user in a broker's URL."""
    return make_url(url).user


async def open_connection(url: str, *, confirms: bool) -> ChannelConnection:
    """Connect and open a channel. Raises BrokerUnavailableError."""
    with translate_broker_errors():
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = aio_pika.Connection(make_url(url))
            try:
                await connection.connect()
                return ChannelConnection(connection, await open_channel(connection, confirms=confirms))
            except BaseException:
                await connection.close()  # also if it never opened: the driver warns when an open one is collected
                raise


async def open_channel(connection: AbstractConnection, *, confirms: bool) -> AbstractChannel:
    """Open a channel. With ``confirms``, publishing an unroutable message raises."""
    channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
    await channel.initialize()
    return channel


@contextmanager
def translate_broker_errors() -> Iterator[None]:
    """Raise BrokerUnavailableError for the driver's errors, with a reason that contains no part of a message."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # The task was not cancelled: the driver cancels its waiters when the connection is lost.
        raise BrokerUnavailableError(reason_of(error)) from error
    except CONNECTION_EXCEPTIONS as error:
        raise BrokerUnavailableError(reason_of(error)) from None


def reason_of(error: BaseException) -> str:
    """Return why a connection failed, for the log. It contains no part of a message."""
    match error:
        case asyncio.CancelledError():
            return "the connection was lost"
        case TimeoutError():
            return "timed out"
        case ProbableAuthenticationError():
            return f"wrong user or password: {error}"
        case ChannelClosed() | ConnectionClosed():
            return str(error.args[-1])
        case OSError():
            return f"no connection: {error}"
    return type(error).__name__  # its text may hold bytes of a frame


@dataclass(slots=True)
class Outage:
    """Back-off while a dependency is unavailable. The beginning and the end of an outage are logged once each."""

    what: str
    _failures: int = 0
    _reason: str | None = None
    _until: float = 0.0

    def record_failure(self, reason: str) -> float:
        """Record a failed attempt; return the seconds until the next one."""
        if reason != self._reason:
            log.error("unavailable, will retry", what=self.what, reason=reason)
        self._reason = reason
        pause = min(FIRST_PAUSE_SECONDS * 2.0**self._failures, LONGEST_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self._until = time.monotonic() + pause
        return pause

    def record_recovery(self) -> None:
        """Record a successful attempt."""
        if self._reason is not None:
            log.info("available again", what=self.what)
        self._reason, self._failures, self._until = None, 0, 0.0

    def require_retry_due(self) -> None:
        """Raise BrokerUnavailableError while the next attempt is not due."""
        if time.monotonic() < self._until:
            raise BrokerUnavailableError(self._reason or "waiting for the next attempt")
