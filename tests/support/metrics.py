"""The metrics that the code defines, and the metrics that expressions use."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ENDS = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("_bucket", "_sum", "_count")}
WORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"}
PLACES = ("libs/*", "services/*", "console")


@dataclass(frozen=True)
class Metric:
    """A metric as the code defines it."""

    kind: str
    name: str
    labels: tuple[str, ...]

    @property
    def series(self) -> set[str]:
        """The names of its series in Prometheus."""
        return {f"{self.name}{end}" for end in ENDS[self.kind]}


@cache
def calls_in(root: Path) -> tuple[ast.Call, ...]:
    """Return every call in the code of the services, the libraries and the console."""
    sources = [source for place in PLACES for source in sorted(root.glob(f"{place}/src/**/*.py"))]
    trees = (ast.parse(source.read_text(encoding="utf-8")) for source in sources)
    return tuple(node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    """Return the name of what is called, without what it is an attribute of."""
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def metrics_of(root: Path) -> list[Metric]:
    """Return every metric of the services and the console."""
    return [
        Metric(name_of(call), call.args[0].value, tuple(ast.literal_eval(call.args[2])) if len(call.args) > 2 else ())
        for call in calls_in(root)
        if name_of(call) in ENDS and call.args and isinstance(call.args[0], ast.Constant)
        if str(call.args[0].value).startswith("desk_")
    ]


def names_in(expression: str) -> set[str]:
    """Return the names of the metrics in a PromQL expression."""
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", re.sub(r'"[^"]*"', '""', expression))
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", text)
    return set(re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*\b(?!\s*\()", text)) - WORDS
