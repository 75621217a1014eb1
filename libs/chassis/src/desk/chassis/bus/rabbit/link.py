"""A connection to RabbitMQ with one channel: opened and closed within bounds, its faults turned into one of ours."""

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
"""How long a failed link waits before its next try; consumers must be back 15 s after a broker's restart."""

for _talkative in ("aio_pika", "aiormq"):  # they tell every fault several times over, and print whole messages
    logging.getLogger(_talkative).setLevel(logging.CRITICAL + 1)


@dataclass(slots=True)
class Link:
    """One connection and the channel in use on it."""

    connection: AbstractConnection
    channel: AbstractChannel

    @property
    def usable(self) -> bool:
        """Whether connection and channel stand, as far as is known."""
        return self.connection.connected.is_set() and not self.channel.is_closed

    async def close(self) -> None:
        """Leave, in order if the broker answers in time."""
        with suppress(*CONNECTION_EXCEPTIONS):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.connection.close()


def address(url: str, name: str) -> str:
    """Complete a broker's URL: aio-pika 10 takes heartbeat and connection name from nowhere else."""
    return str(make_url(url, heartbeat=HEARTBEAT_SECONDS, name=name))


def user_of(url: str) -> str | None:
    """Tell the broker user an URL names."""
    return make_url(url).user


async def open_link(url: str, *, confirms: bool) -> Link:
    """Connect and open a channel. Raises BrokerUnavailableError."""
    with broker_faults():
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = aio_pika.Connection(make_url(url))
            try:
                await connection.connect()
                return Link(connection, await open_channel(connection, confirms=confirms))
            except BaseException:
                await connection.close()  # also when it never stood: left open it complains when it is collected
                raise


async def open_channel(connection: AbstractConnection, *, confirms: bool) -> AbstractChannel:
    """Open a channel; with confirms, one on which an unroutable message is an error and no result."""
    channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
    await channel.initialize()
    return channel


@contextmanager
def broker_faults() -> Iterator[None]:
    """Raise BrokerUnavailableError for whatever the driver raises, with a reason that holds no part of a message."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled us: it is how the driver tells those who wait that the connection went.
        raise BrokerUnavailableError(reason_of(error)) from error
    except CONNECTION_EXCEPTIONS as error:
        raise BrokerUnavailableError(reason_of(error)) from None


def reason_of(error: BaseException) -> str:
    """Say what befell a link, for the log; nothing of a message is in it."""
    match error:
        case asyncio.CancelledError():
            return "the connection was lost"
        case TimeoutError():
            return "no answer in time"
        case ProbableAuthenticationError():
            return f"wrong user or password: {error}"
        case ChannelClosed() | ConnectionClosed():
            return str(error.args[-1])
        case OSError():
            return f"no connection: {error}"
    return type(error).__name__  # its text may hold bytes of a frame


@dataclass(slots=True)
class Outage:
    """Counts the tries while something is away, and logs its beginning and its end once each."""

    what: str
    _failures: int = 0
    _reason: str | None = None
    _until: float = 0.0

    def goes_on(self, reason: str) -> float:
        """Note one more failure; return the seconds to wait before the next try."""
        if reason != self._reason:
            log.error("away, trying again", what=self.what, reason=reason)
        self._reason = reason
        pause = min(FIRST_PAUSE_SECONDS * 2.0**self._failures, LONGEST_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self._until = time.monotonic() + pause
        return pause

    def is_over(self) -> None:
        """Note that it works again."""
        if self._reason is not None:
            log.info("back again", what=self.what)
        self._reason, self._failures, self._until = None, 0, 0.0

    def demand_pause_over(self) -> None:
        """Raise BrokerUnavailableError while the next try is not due."""
        if time.monotonic() < self._until:
            raise BrokerUnavailableError(self._reason or "waiting for the next try")
