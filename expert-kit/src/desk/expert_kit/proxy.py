"""Stands between the consumer and the broker: sees what is delivered, answered and published, and can cut the line."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

from pamqp.commands import Basic, Confirm

from desk.expert_kit.errors import NotPossibleError
from desk.expert_kit.frames import FrameReader, Unit

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 10.0

Kind = Literal["consume", "deliver", "ack", "reject", "requeue", "publish"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something the consumer did, or was given. ``event_id`` is the message id."""

    kind: Kind
    event_id: str = ""
    queue: str = ""
    body: bytes = b""
    without_acks: bool = False
    """Of ``consume``: whatever is sent counts as acknowledged."""
    confirmed: bool = False
    """Of ``publish``: the broker is asked to confirm."""


Trap = Callable[[Happening], bool]


@dataclass(slots=True, eq=False)
class _Line:
    """One connection of the consumer, with what is open on its channels."""

    consumer: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    out: dict[tuple[int, int], str] = field(default_factory=dict)
    """Event ids by channel and delivery tag: delivered and not answered."""
    confirming: set[int] = field(default_factory=set)


class Middleman:
    """A door on this machine that leads to the broker."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._changed = asyncio.Condition()
        self._trap: Trap | None = None
        self.shut = False
        """New connections are refused."""
        self.sprung = False
        """The trap has closed: nothing of the consumer passes any more."""
        self.seen: list[Happening] = []

    async def open(self, host: str, port: int) -> int:
        """Open the door; return its port. Raises NotPossibleError."""
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            raise NotPossibleError(f"cannot listen on {host}:{port} ({error.strerror}); choose --listen") from None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Close the door and every line."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """End every connection, as when a cable is pulled."""
        for line in list(self._lines):
            line.consumer.transport.abort()
            line.broker.transport.abort()
        self._lines.clear()
        await self._tell()

    def set_trap(self, trap: Trap | None) -> None:
        """Close at the first happening that ``trap`` is true of: a report is held back, an acknowledgement passes."""
        self._trap, self.sprung = trap, False

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true of what was seen; tell whether it came to be."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(true)
        return true()

    async def wake(self) -> None:
        """Have everybody who waits look again."""
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.transport.abort()
            return
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                upstream, broker = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        line = _Line(writer, broker)
        self._lines.add(line)
        pumps = {
            asyncio.create_task(self._pump(line, reader, broker, self._from_consumer)),
            asyncio.create_task(self._pump(line, upstream, writer, self._from_broker)),
        }
        _, others = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for each in others:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._lines.discard(line)
        for end in (writer, broker):
            end.close()
        await self._tell()

    async def _pump(
        self,
        line: _Line,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        look: "Callable[[_Line, Unit], list[Happening]]",
    ) -> None:
        frames = FrameReader()
        with suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                for unit in frames.feed(data):
                    if self.sprung and look == self._from_consumer:
                        continue
                    if self._note(look(line, unit)):
                        target.write(unit.raw)
                await target.drain()
                await self._tell()

    def _note(self, happenings: list[Happening]) -> bool:
        """Write down what happened; tell whether it is to pass."""
        self.seen += happenings
        if self._trap is None or self.sprung or not any(map(self._trap, happenings)):
            return True
        self.sprung = True
        return all(each.kind != "publish" for each in happenings)

    def _from_broker(self, line: _Line, unit: Unit) -> list[Happening]:
        match unit.method:
            case Basic.Deliver(delivery_tag=tag) | Basic.GetOk(delivery_tag=tag):
                event_id = (unit.properties and unit.properties.message_id) or ""
                line.out[unit.channel, tag or 0] = event_id
                return [Happening("deliver", event_id)]
        return []

    def _from_consumer(self, line: _Line, unit: Unit) -> list[Happening]:
        match unit.method:
            case Basic.Consume(queue=queue, no_ack=no_ack) | Basic.Get(queue=queue, no_ack=no_ack):
                return [Happening("consume", queue=queue, without_acks=no_ack)]
            case Basic.Ack(delivery_tag=tag, multiple=multiple):
                return self._answered(line, unit.channel, tag, "ack", multiple=multiple)
            case Basic.Nack(delivery_tag=tag, multiple=multiple, requeue=requeue):
                kind: Kind = "requeue" if requeue else "reject"
                return self._answered(line, unit.channel, tag, kind, multiple=multiple)
            case Basic.Reject(delivery_tag=tag, requeue=requeue):
                return self._answered(line, unit.channel, tag, "requeue" if requeue else "reject")
            case Confirm.Select():
                line.confirming.add(unit.channel)
            case Basic.Publish():
                event_id = (unit.properties and unit.properties.message_id) or ""
                return [Happening("publish", event_id, body=unit.body, confirmed=unit.channel in line.confirming)]
        return []

    def _answered(
        self, line: _Line, channel: int, tag: int | None, kind: Kind, *, multiple: bool = False
    ) -> list[Happening]:
        last = tag or max((each[1] for each in line.out if each[0] == channel), default=0)  # 0 means all
        tags = [each for each in line.out if each[0] == channel and (each[1] == last or (multiple and each[1] < last))]
        return [Happening(kind, line.out.pop(each)) for each in sorted(tags)]

    async def __aenter__(self) -> Self:
        """Use it as ``async with``: it is closed at the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()
