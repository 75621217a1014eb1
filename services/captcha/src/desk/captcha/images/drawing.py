"""Draws an answer as an image: bent Persian digits, dark on light, under a few lines and specks."""

import io
import itertools
import math
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw

from desk.captcha.images.strokes import DIGITS, Point, Stroke

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

_PALETTE = [
    round(paper + (ink - paper) * shade / (_SHADES - 1))
    for shade in range(_SHADES)
    for paper, ink in zip(_PAPER, _INK, strict=True)
]

Bend = Callable[[Point], Point]


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws on a sheet larger than the image; shrinking it smooths the edges."""

    sheet: ImageDraw.ImageDraw

    def line(self, points: list[Point], widths: list[float]) -> None:
        """Draw a line through ``points`` with the width of each point, with round joints and ends."""
        scaled = [(point.x * _OVERSAMPLE, point.y * _OVERSAMPLE) for point in points]
        for ends, width in zip(itertools.pairwise(scaled), widths, strict=False):
            self.sheet.line(ends, fill=255, width=round(width * _OVERSAMPLE))
        for point, width in zip(points, widths, strict=True):
            self.dot(point, width)

    def thin_line(self, points: list[Point], width: float) -> None:
        """Draw a line of one width, without joints, which a thin line does not need."""
        scaled = [(point.x * _OVERSAMPLE, point.y * _OVERSAMPLE) for point in points]
        self.sheet.line(scaled, fill=255, width=round(width * _OVERSAMPLE))

    def dot(self, at: Point, width: float) -> None:
        """Draw a dot with the diameter ``width``."""
        x, y, radius = at.x * _OVERSAMPLE, at.y * _OVERSAMPLE, width * _OVERSAMPLE / 2
        self.sheet.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def draw_digits(answer: str, chance: random.Random) -> bytes:
    """Return a PNG of ``answer`` (ASCII digits) in Persian digits.

    ``chance`` decides how they are drawn, and never what the answer is: a generator that is seeded with secret random
    bits is enough, and faster than one that asks the operating system for each number.
    """
    sheet = Image.new("L", (WIDTH * _OVERSAMPLE, HEIGHT * _OVERSAMPLE))
    pen = _Pen(ImageDraw.Draw(sheet))
    wave = _wave(chance)
    for digit, across in zip(answer, _centres(len(answer), chance), strict=True):
        size = chance.uniform(78, 110)
        slack = (HEIGHT - 2 * _EDGE - size) / 2
        bend = _bend(Point(across, HEIGHT / 2 + chance.uniform(-slack, slack)), size, chance)
        for stroke in DIGITS[digit]:
            pen.line([wave(bend(point)) for point in stroke], list(_widths(stroke, chance)))
    _disturb(pen, wave, chance)
    return _png(sheet)


def _centres(count: int, chance: random.Random) -> list[float]:
    """Choose the centres of the digits, at unequal distances, so that a program must find them first."""
    steps = [chance.uniform(0.82, 1.22) for _ in range(count - 1)]
    room = WIDTH - 2 * _MARGIN
    span = room * chance.uniform(0.82, 1)
    offsets = itertools.accumulate((step * span / sum(steps) for step in steps), initial=chance.uniform(0, room - span))
    return [_MARGIN + offset for offset in offsets]


def _bend(middle: Point, height: float, chance: random.Random) -> Bend:
    """Map a digit's unit square to the image: rotated, slanted and stretched. 7 and 8 must stay distinct."""
    width = height * chance.uniform(0.66, 0.82)
    turn, slant = math.radians(chance.uniform(-20, 20)), chance.uniform(-0.25, 0.25)
    sine, cosine = math.sin(turn), math.cos(turn)

    def bend(point: Point) -> Point:
        y = (point.y - 0.5) * height
        x = (point.x - 0.5) * width - slant * y
        return Point(middle.x + x * cosine - y * sine, middle.y + x * sine + y * cosine)

    return bend


def _wave(chance: random.Random) -> Bend:
    """Distort the whole image by waves, so that adjacent digits are bent differently."""
    rise, run = chance.uniform(4, 8), chance.uniform(3, 6)
    length, height = chance.uniform(110, 190), chance.uniform(70, 120)
    start, begin = chance.uniform(0, math.tau), chance.uniform(0, math.tau)

    def ripple(point: Point) -> Point:
        return Point(
            point.x + run * math.sin(math.tau * point.y / height + begin),
            point.y + rise * math.sin(math.tau * point.x / length + start),
        )

    return ripple


def _widths(stroke: Stroke, chance: random.Random) -> Iterator[float]:
    """Yield the width of the line at each point, which varies along the stroke."""
    width, swell, start = chance.uniform(8.5, 13), chance.uniform(0.05, 0.25), chance.uniform(0, math.tau)
    for number in range(len(stroke)):
        yield width * (1 + swell * math.sin(start + 4 * number / len(stroke)))


def _disturb(pen: _Pen, wave: Bend, chance: random.Random) -> None:
    """Add noise: lines thinner than any stroke, and specks smaller than a zero."""
    for _ in range(4):
        left, right = chance.uniform(0.1, 0.9) * HEIGHT, chance.uniform(0.1, 0.9) * HEIGHT
        sag = chance.uniform(-60, 60)
        points = [
            wave(Point(WIDTH * part, left + (right - left) * part + sag * math.sin(math.pi * part)))
            for part in (number / 24 for number in range(-1, 26))
        ]
        pen.thin_line(points, chance.uniform(3, 5))
    for _ in range(45):
        pen.dot(Point(chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT)), chance.uniform(2, 6))


def _png(sheet: Image.Image) -> bytes:
    image = sheet.reduce(_OVERSAMPLE).point([value * _SHADES // 256 for value in range(256)])
    image.putpalette(_PALETTE)
    png = io.BytesIO()
    image.save(png, "PNG", bits=4, compress_level=_COMPRESSION, compress_type=_STRATEGY)
    return png.getvalue()
