"""Draws the CPU-ms of operations by process as horizontal bars, in plain SVG."""

from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.figures import Operation

COLOURS = {
    "captcha": "#b45309",
    "intake": "#0f766e",
    "tracking": "#1d4ed8",
    "registry-gateway": "#7c3aed",
    "notifier": "#be185d",
    "gunicorn": "#57534e",
    "postgres": "#334155",
    "rabbitmq": "#ca8a04",
    "redis": "#dc2626",
    "s3": "#84cc16",
    "nginx": "#16a34a",
}
INK, GREY = "#1c1917", "#57534e"
WIDTH, LEFT, RIGHT, TOP = 960, 210, 70, 84
BAR, GAP, FOOT = 34, 18, 46
LABEL_WIDTH = 34
"""A part of a bar that is narrower has no number in it."""
SHOWN_MS = 0.2
"""A process that uses less is in the table only."""
TICKS = (1, 2, 5, 10, 20, 50)
TICKS_MAX = 8


def chart(operations: Sequence[Operation], title: str) -> str:
    """Return the SVG; a process has the same colour in all bars."""
    longest = max((operation.total for operation in operations), default=0.0) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / longest
    height = TOP + len(operations) * (BAR + GAP) + FOOT
    shown = [name for name in COLOURS if any(each.costs.get(name, 0) >= SHOWN_MS for each in operations)]
    return "\n".join(
        [
            _head(height, escape(title)),
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            _text(16, 28, title, 'font-size="17" font-weight="600"'),
            *_legend(shown),
            *_axis(longest, scale, height),
            *(
                line
                for place, operation in enumerate(operations)
                for line in _bar(operation, TOP + place * (BAR + GAP), scale, shown)
            ),
            "</svg>\n",
        ]
    )


def _head(height: int, label: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    text = f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {text} role="img" aria-label="{label}">'


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.0f}" {attributes}>{escape(text)}</text>'


def _legend(names: Sequence[str]) -> Iterator[str]:
    x = 16.0
    for name in names:
        yield f'<rect x="{x:.0f}" y="46" width="12" height="12" rx="2" fill="{COLOURS[name]}"/>'
        yield _text(x + 17, 57, name)
        x += 34 + 7.2 * len(name)


def _axis(longest: float, scale: float, height: int) -> Iterator[str]:
    step = next((each for each in TICKS if longest / each <= TICKS_MAX), TICKS[-1])
    bottom = height - FOOT
    for value in range(0, int(longest) + 1, step):
        x = LEFT + value * scale
        yield f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#e7e5e4"/>'
        yield _text(x, bottom + 18, str(value), f'text-anchor="middle" fill="{GREY}"')
    yield _text(WIDTH - RIGHT, bottom + 36, "CPU-ms", f'text-anchor="end" fill="{GREY}"')


def _bar(operation: Operation, y: int, scale: float, names: Sequence[str]) -> Iterator[str]:
    middle = y + BAR / 2 + 5
    yield _text(LEFT - 12, middle, operation.name, 'text-anchor="end"')
    x = float(LEFT)
    for name in names:
        cost = operation.costs.get(name, 0.0)
        width = cost * scale
        if cost < SHOWN_MS:
            continue
        yield (
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[name]}" stroke="#ffffff">'
            f"<title>{escape(name)}: {cost:.2f} CPU-ms</title></rect>"
        )
        if width >= LABEL_WIDTH:
            yield _text(x + width / 2, middle, f"{cost:.1f}", 'text-anchor="middle" fill="#ffffff"')
        x += width
    yield _text(x + 8, middle, f"{operation.total:.1f}", 'font-weight="600"')
