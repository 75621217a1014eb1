"""Draws an answer as an image: bent Persian digits, dark on light, under a few lines and specks.

Each of some 200 points is a plain pair, computed in one pass: objects and calls cost more than the drawing itself.
"""

import itertools
import math
import random
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from desk.captcha.images.strokes import DIGITS

WIDTH, HEIGHT = 480, 160
"""Pixels. Shown at half this size, so that the image is sharp on a dense screen and can be enlarged."""

_OVERSAMPLE = 2
_COMPRESSION, _STRATEGY = 1, zlib.Z_RLE
"""Of PNG: other levels and strategies cost more CPU, and images of lines are not smaller by them."""
_MARGIN = 54
_EDGE = 8
_SHADES = 16
_PAPER, _INK = (251, 249, 244), (17, 36, 29)
"""Contrast 15:1. The palette between them is for smooth edges."""

_PALETTE = bytes(
    round(paper + (ink - paper) * shade / (_SHADES - 1))
    for shade in range(_SHADES)
    for paper, ink in zip(_PAPER, _INK, strict=True)
)
_BITS, _INDEXED = 4, 3
"""Of PNG: bits of a pixel, and the type of an image with a palette."""

Points = list[tuple[float, float]]
Bend = Callable[[Iterable[tuple[float, float]]], Points]

_LINE = [(part, math.sin(math.pi * part)) for part in (number / 24 for number in range(-1, 26))]
"""The points of a disturbing line, from a little left of the image to a little right of it, and how far each sags."""
_TO_SHADES = [value * _SHADES // 256 for value in range(256)]


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws on a sheet larger than the image; shrinking it smooths the edges."""

    sheet: ImageDraw.ImageDraw

    def line(self, points: Points, widths: Sequence[float]) -> None:
        """Draw a line through ``points`` of the sheet with the width of each point, with round joints and ends."""
        for ((x, y), (end_x, end_y)), width in zip(itertools.pairwise(points), widths, strict=False):
            self.sheet.line((x, y, end_x, end_y), fill=255, width=round(width * _OVERSAMPLE))
        for (x, y), width in zip(points, widths, strict=True):
            self.dot(x, y, width)

    def thin_line(self, points: Points, width: float) -> None:
        """Draw a line of one width, without joints, which a thin line does not need."""
        self.sheet.line(list(itertools.chain.from_iterable(points)), fill=255, width=round(width * _OVERSAMPLE))

    def dot(self, x: float, y: float, width: float) -> None:
        """Draw a dot at a point of the sheet, with the diameter ``width`` in the image."""
        radius = width * _OVERSAMPLE / 2
        self.sheet.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def draw_digits(answer: str, chance: random.Random) -> bytes:
    """Return a PNG of ``answer`` (ASCII digits) in Persian digits.

    ``chance`` decides how they are drawn, and never what the answer is: a generator that is seeded with secret random
    bits is enough, and faster than one that asks the operating system for each number.
    """
    sheet = Image.new("L", (WIDTH * _OVERSAMPLE, HEIGHT * _OVERSAMPLE))
    pen = _Pen(ImageDraw.Draw(sheet))
    wave = _wave(chance)
    for stroke, widths in _write(answer, chance):
        pen.line(wave(stroke), widths)
    for line, width in _disturbances(chance):
        pen.thin_line(wave(line), width)
    for _ in range(45):
        x, y = chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT)
        pen.dot(x * _OVERSAMPLE, y * _OVERSAMPLE, chance.uniform(2, 6))
    return _png(sheet)


def _write(answer: str, chance: random.Random) -> Iterator[tuple[Points, list[float]]]:
    """Yield the strokes of all digits in the image, before its waves, and the widths at their points."""
    for digit, across in zip(answer, _centres(len(answer), chance), strict=True):
        size = chance.uniform(78, 110)
        slack = (HEIGHT - 2 * _EDGE - size) / 2
        bend = _bend((across, HEIGHT / 2 + chance.uniform(-slack, slack)), size, chance)
        for stroke in DIGITS[digit]:
            yield bend(stroke), list(_widths(len(stroke), chance))


def _centres(count: int, chance: random.Random) -> list[float]:
    """Choose the centres of the digits, at unequal distances, so that a program must find them first."""
    steps = [chance.uniform(0.82, 1.22) for _ in range(count - 1)]
    room = WIDTH - 2 * _MARGIN
    span = room * chance.uniform(0.82, 1)
    offsets = itertools.accumulate((step * span / sum(steps) for step in steps), initial=chance.uniform(0, room - span))
    return [_MARGIN + offset for offset in offsets]


def _bend(middle: tuple[float, float], height: float, chance: random.Random) -> Bend:
    """Map a digit's unit square to the image: rotated, slanted and stretched. 7 and 8 must stay distinct."""
    width = height * chance.uniform(0.66, 0.82)
    turn, slant = math.radians(chance.uniform(-20, 20)), chance.uniform(-0.25, 0.25)
    sine, cosine = math.sin(turn), math.cos(turn)
    # Where the axes of the digit point to in the image; the middle of its unit square comes to ``middle``.
    across_x, across_y = width * cosine, width * sine
    down_x, down_y = -height * (slant * cosine + sine), height * (cosine - slant * sine)
    left, top = middle[0] - (across_x + down_x) / 2, middle[1] - (across_y + down_y) / 2

    def bend(points: Iterable[tuple[float, float]]) -> Points:
        return [(left + x * across_x + y * down_x, top + x * across_y + y * down_y) for x, y in points]

    return bend


def _wave(chance: random.Random) -> Bend:
    """Distort the whole image by waves, so that adjacent digits are bent differently; return points of the sheet."""
    rise, run = chance.uniform(4, 8) * _OVERSAMPLE, chance.uniform(3, 6) * _OVERSAMPLE
    per_x, per_y = math.tau / chance.uniform(110, 190), math.tau / chance.uniform(70, 120)
    start, begin = chance.uniform(0, math.tau), chance.uniform(0, math.tau)
    sine = math.sin

    def ripple(points: Iterable[tuple[float, float]]) -> Points:
        return [
            (x * _OVERSAMPLE + run * sine(y * per_y + begin), y * _OVERSAMPLE + rise * sine(x * per_x + start))
            for x, y in points
        ]

    return ripple


def _widths(count: int, chance: random.Random) -> Iterator[float]:
    """Yield the width of a stroke at each of its points, which varies along the stroke."""
    width, swell, start = chance.uniform(8.5, 13), chance.uniform(0.05, 0.25), chance.uniform(0, math.tau)
    for number in range(count):
        yield width * (1 + swell * math.sin(start + 4 * number / count))


def _disturbances(chance: random.Random) -> Iterator[tuple[Points, float]]:
    """Yield lines thinner than any stroke, before the waves of the image, and their widths."""
    for _ in range(4):
        left, right = chance.uniform(0.1, 0.9) * HEIGHT, chance.uniform(0.1, 0.9) * HEIGHT
        sag = chance.uniform(-60, 60)
        line = [(WIDTH * part, left + (right - left) * part + sag * deep) for part, deep in _LINE]
        yield line, chance.uniform(3, 5)


def _png(sheet: Image.Image) -> bytes:
    """Return the sheet, shrunk, as a PNG with a palette; Pillow needs twice the CPU time to write the same."""
    image = sheet.reduce(_OVERSAMPLE).point(_TO_SHADES)
    image.putpalette(_PALETTE)
    packed, row = image.tobytes("raw", f"P;{_BITS}"), WIDTH * _BITS // 8
    rows = b"".join(b"\0" + packed[start : start + row] for start in range(0, len(packed), row))  # 0: no filter
    packer = zlib.compressobj(_COMPRESSION, strategy=_STRATEGY)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, _BITS, _INDEXED, 0, 0, 0)),
            _chunk(b"PLTE", _PALETTE),
            _chunk(b"IDAT", packer.compress(rows) + packer.flush()),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
