"""Parses AMQP 0-9-1 frames into methods with their content, and keeps the raw bytes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pamqp import frame
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

PROTOCOL_HEADER_BYTES = 8
_START, _END = 7, 1
_METHOD = 1
_PARSED_CLASSES = frozenset({60, 85})
"""Classes of methods: basic and confirm. Others are not parsed; they may contain a password."""


@dataclass(slots=True)
class Unit:
    """A method with its content, or another frame as bytes only."""

    raw: bytes
    channel: int = 0
    method: Frame | None = None
    properties: Basic.Properties | None = None
    body: bytes = b""
    size: int = 0


@dataclass(slots=True)
class FrameReader:
    """One direction of one connection."""

    _left: bytes = b""
    _open: dict[int, Unit] = field(default_factory=dict)
    """Methods whose content is incomplete, by channel."""

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Yield the units that are complete."""
        self._left += data
        while (whole := self._next()) is not None:
            yield from self._read(whole)

    def _next(self) -> bytes | None:
        if self._left[:4] == b"AMQP":
            size = PROTOCOL_HEADER_BYTES
        elif len(self._left) < _START:
            return None
        else:
            size = _START + int.from_bytes(self._left[3:7], "big") + _END
        if len(self._left) < size:
            return None
        whole, self._left = self._left[:size], self._left[size:]
        return whole

    def _read(self, raw: bytes) -> Iterator[Unit]:
        channel = int.from_bytes(raw[1:3], "big")
        method = raw[0] == _METHOD
        if (method and int.from_bytes(raw[7:9], "big") not in _PARSED_CLASSES) or not (method or channel in self._open):
            yield Unit(raw)
            return
        _, _, read = frame.unmarshal(raw)
        if isinstance(read, Basic.Publish | Basic.Deliver | Basic.GetOk | Basic.Return):
            self._open[channel] = Unit(raw, channel, read)
        elif isinstance(read, Frame):
            yield Unit(raw, channel, read)
        else:
            unit = self._open[channel]
            unit.raw += raw
            if isinstance(read, ContentHeader):
                unit.properties, unit.size = read.properties, read.body_size
            elif isinstance(read, ContentBody):
                unit.body += read.value
            if len(unit.body) >= unit.size:
                del self._open[channel]
                yield unit
