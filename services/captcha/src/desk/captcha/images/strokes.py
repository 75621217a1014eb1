"""The ten Persian digits as strokes of a pen, so that they can be bent and need no font."""

from collections.abc import Iterator
from typing import NamedTuple

_STEPS = 8
"""Straight segments for each curve: smooth at the size of the image, and fast."""


class Point(NamedTuple):
    """A point in a digit's unit square; y grows downwards."""

    x: float
    y: float


Stroke = tuple[Point, ...]

# M moves the pen, L draws a line, C a cubic Bézier curve, as in SVG.
_PATHS: dict[str, tuple[str, ...]] = {
    "0": ("M .50 .44 L .65 .58 L .50 .72 L .35 .58 L .50 .44",),
    "1": ("M .38 .06 C .50 .26 .56 .60 .56 .95",),
    "2": ("M .18 .06 C .30 .26 .36 .60 .36 .95", "M .22 .13 C .30 .44 .74 .46 .78 .06"),
    "3": (
        "M .06 .06 C .18 .26 .24 .60 .24 .95",
        "M .10 .15 C .14 .42 .47 .44 .49 .10 C .50 .42 .86 .44 .92 .06",
    ),
    "4": (
        "M .08 .06 C .20 .26 .27 .60 .27 .95",
        "M .82 .10 C .62 .00 .42 .10 .44 .26 C .45 .38 .60 .47 .88 .43",
        "M .21 .44 C .44 .50 .64 .48 .88 .43",
    ),
    "5": (
        "M .48 .06 C .66 .20 .90 .46 .90 .70 C .90 .96 .58 .98 .50 .72",
        "M .50 .72 C .42 .98 .10 .96 .10 .70 C .10 .46 .30 .20 .48 .06",
    ),
    "6": ("M .74 .14 C .56 .00 .26 .10 .26 .30 C .26 .46 .50 .50 .80 .44", "M .80 .44 C .54 .56 .34 .74 .22 .95"),
    "7": ("M .14 .06 C .30 .34 .44 .64 .50 .95 C .56 .64 .70 .34 .86 .06",),
    "8": ("M .14 .95 C .30 .66 .44 .36 .50 .06 C .56 .36 .70 .66 .86 .95",),
    "9": ("M .70 .30 C .70 -.02 .26 -.02 .26 .28 C .26 .52 .60 .52 .70 .30", "M .70 .24 C .70 .50 .74 .74 .80 .95"),
}


def _points(path: str) -> Iterator[Point]:
    words = iter(path.split())
    here = Point(0, 0)
    for command in words:
        ends = [Point(float(next(words)), float(next(words))) for _ in range(3 if command == "C" else 1)]
        if command == "C":
            yield from (_bezier((here, *ends), step / _STEPS) for step in range(1, _STEPS))
        here = ends[-1]
        yield here


def _bezier(corners: tuple[Point, ...], t: float) -> Point:
    u = 1 - t
    weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
    return Point(
        sum(weight * corner.x for weight, corner in zip(weights, corners, strict=True)),
        sum(weight * corner.y for weight, corner in zip(weights, corners, strict=True)),
    )


DIGITS: dict[str, tuple[Stroke, ...]] = {
    digit: tuple(tuple(_points(path)) for path in paths) for digit, paths in _PATHS.items()
}
"""The strokes of each digit, by its ASCII form."""
