"""What the parts of the benchmark return."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Costs = Mapping[str, float]
"""A value by the name of a process."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a figure should be."""

    limit: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Return whether the value is within the limit."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Operation:
    """The CPU-ms of one operation by process."""

    name: str
    costs: Costs
    asked: Asked | None = None
    """What the sum should be."""
    charted: bool = True
    """Whether the chart shows it."""

    @property
    def total(self) -> float:
        """The CPU-ms of all processes."""
        return sum(self.costs.values())


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value."""

    name: str
    value: float
    unit: str
    asked: Asked | None = None


@dataclass(slots=True)
class Part:
    """The results of one part of the benchmark."""

    title: str
    operations: list[Operation] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
