"""A proxy between consumer and broker: records deliveries, acknowledgements and reports, and can disconnect."""

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

Kind = Literal["consume", "deliver", "ack", "reject", "requeue", "publish", "return"]


@dataclass(frozen=True, slots=True)
class Observation:
    """An action of the consumer, or a delivery to it. ``event_id`` is the message id."""

    kind: Kind
    event_id: str = ""
    queue: str = ""
    body: bytes = b""
    without_acks: bool = False
    """Of ``consume``: deliveries count as acknowledged (no_ack)."""
    confirmed: bool = False
    """Of ``publish``: publisher confirms are on."""
    mandatory: bool = False
    """Of ``publish``: the broker returns it if no queue gets it."""
    prefetch: int | None = None
    """Of ``consume``: the limit of unacknowledged deliveries, 0 for none; None if the consumer polls (basic.get)."""


Trap = Callable[[Observation], bool]


@dataclass(slots=True, eq=False)
class _Session:
    """One connection of the consumer, with the state of its channels."""

    consumer: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    out: dict[tuple[int, int], str] = field(default_factory=dict)
    """Event ids by channel and delivery tag: delivered and not answered."""
    confirming: set[int] = field(default_factory=set)
    prefetch: dict[int, int] = field(default_factory=dict)
    """By channel."""


class Proxy:
    """A local port that forwards to the broker."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        self._changed = asyncio.Condition()
        self._trap: Trap | None = None
        self.shut = False
        """New connections are refused."""
        self.sprung = False
        """The trap has closed: data of the consumer is dropped."""
        self.seen: list[Observation] = []

    async def open(self, host: str, port: int) -> int:
        """Listen; return the port. Raises NotPossibleError."""
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            raise NotPossibleError(f"cannot listen on {host}:{port} ({error.strerror}); choose --listen") from None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and close all connections."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Abort all connections, as if the network failed."""
        for session in list(self._sessions):
            session.consumer.transport.abort()
            session.broker.transport.abort()
        self._sessions.clear()
        await self._notify()

    def set_trap(self, trap: Trap | None) -> None:
        """Close at the first observation for which ``trap`` is true: a report is dropped, an acknowledgement passes."""
        self._trap, self.sprung = trap, False

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition on the observations is true; return whether it is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(true)
        return true()

    async def wake(self) -> None:
        """Let waiting callers check their conditions again."""
        await self._notify()

    async def _notify(self) -> None:
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
        session = _Session(writer, broker)
        self._sessions.add(session)
        pumps = {
            asyncio.create_task(self._pump(session, reader, broker, self._from_consumer)),
            asyncio.create_task(self._pump(session, upstream, writer, self._from_broker)),
        }
        _, others = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for each in others:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._sessions.discard(session)
        for end in (writer, broker):
            end.close()
        await self._notify()

    async def _pump(
        self,
        session: _Session,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        observe: "Callable[[_Session, Unit], list[Observation]]",
    ) -> None:
        frames = FrameReader()
        with suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                for unit in frames.feed(data):
                    if self.sprung and observe == self._from_consumer:
                        continue
                    if self._record(observe(session, unit)):
                        target.write(unit.raw)
                await target.drain()
                await self._notify()

    def _record(self, observations: list[Observation]) -> bool:
        """Record observations; return whether the data may pass."""
        self.seen += observations
        if self._trap is None or self.sprung or not any(map(self._trap, observations)):
            return True
        self.sprung = True
        return all(each.kind != "publish" for each in observations)

    def _from_broker(self, session: _Session, unit: Unit) -> list[Observation]:
        match unit.method:
            case Basic.Deliver(delivery_tag=tag) | Basic.GetOk(delivery_tag=tag):
                event_id = (unit.properties and unit.properties.message_id) or ""
                session.out[unit.channel, tag or 0] = event_id
                return [Observation("deliver", event_id)]
            case Basic.Return():
                return [Observation("return", (unit.properties and unit.properties.message_id) or "", body=unit.body)]
        return []

    def _from_consumer(self, session: _Session, unit: Unit) -> list[Observation]:
        match unit.method:
            case Basic.Consume(queue=queue, no_ack=no_ack) | Basic.Get(queue=queue, no_ack=no_ack):
                limit = session.prefetch.get(unit.channel, 0) if isinstance(unit.method, Basic.Consume) else None
                return [Observation("consume", queue=queue, without_acks=no_ack, prefetch=limit)]
            case Basic.Qos(prefetch_count=prefetch):
                session.prefetch[unit.channel] = prefetch or 0
            case Basic.Ack(delivery_tag=tag, multiple=multiple):
                return self._answered(session, unit.channel, tag, "ack", multiple=multiple)
            case Basic.Nack(delivery_tag=tag, multiple=multiple, requeue=requeue):
                kind: Kind = "requeue" if requeue else "reject"
                return self._answered(session, unit.channel, tag, kind, multiple=multiple)
            case Basic.Reject(delivery_tag=tag, requeue=requeue):
                return self._answered(session, unit.channel, tag, "requeue" if requeue else "reject")
            case Confirm.Select():
                session.confirming.add(unit.channel)
            case Basic.Publish(mandatory=mandatory):
                event_id = (unit.properties and unit.properties.message_id) or ""
                confirmed = unit.channel in session.confirming
                return [Observation("publish", event_id, body=unit.body, confirmed=confirmed, mandatory=mandatory)]
        return []

    def _answered(
        self, session: _Session, channel: int, tag: int | None, kind: Kind, *, multiple: bool = False
    ) -> list[Observation]:
        last = tag or max((each[1] for each in session.out if each[0] == channel), default=0)  # 0 means all
        tags = [
            each for each in session.out if each[0] == channel and (each[1] == last or (multiple and each[1] < last))
        ]
        return [Observation(kind, session.out.pop(each)) for each in sorted(tags)]

    async def __aenter__(self) -> Self:
        """Return the proxy; ``async with`` closes it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()
