"""Writes the table of results as Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.figures import Asked, Figure, Operation, Part

CHART = "results.svg"
SHOWN_MS = 0.01
"""A process that uses less has no number in the table."""
COLUMNS = (
    *("captcha", "intake", "tracking", "registry-gateway", "notifier", "gunicorn", "relay"),
    *("nginx", "postgres", "rabbitmq", "redis", "s3"),
)
INTRODUCTION = """\
CPU time is that of all processes (user and system), until all effects of an operation are done, without what they use
when idle. Applicants, office and mail server are not counted. Eight operations at a time; each submission has an
applicant, a mobile, an email, an address and a security code of its own, and passes nginx. A ticket at django-helpdesk
causes one email; it has no security code, SMS, broker or nginx. PostgreSQL writes durably (fsync)."""


def markdown(parts: Sequence[Part], facts: Mapping[str, str]) -> str:
    """Return the whole document."""
    operations = [operation for part in parts for operation in part.operations]
    return (
        "\n\n".join(
            [
                "# Results of `make bench`",
                INTRODUCTION,
                _table(("Measured on", ""), facts.items()),
                f"![CPU time per operation]({CHART})",
                "## CPU-ms per operation",
                costs_table(operations),
                "## Figures",
                figures_table(parts),
            ]
        )
        + "\n"
    )


def costs_table(operations: Sequence[Operation]) -> str:
    """Return the table of CPU-ms, a row for each operation and a column for each process."""
    names = [name for name in COLUMNS if any(_is_shown(operation.costs.get(name)) for operation in operations)]
    head = ("CPU-ms per operation", "sum", "figure asked", "met", *names)
    return _table(head, [_operation_row(operation, names) for operation in operations])


def _operation_row(operation: Operation, names: Sequence[str]) -> tuple[str, ...]:
    costs = [operation.costs.get(name) for name in names]
    total = f"**{_number(operation.total)}**"
    return operation.name, total, *_asked(operation.asked, operation.total), *map(_cost, costs)


def figures_table(parts: Sequence[Part]) -> str:
    """Return the table of all figures, with what is asked of them."""
    rows: list[tuple[str, ...]] = []
    for part in parts:
        if part.figures:
            rows += [(f"**{part.title}**", "", "", ""), *map(_row, part.figures)]
    return _table(("figure", "measured", "figure asked", "met"), rows)


def _row(figure: Figure) -> tuple[str, ...]:
    return figure.name, f"{_number(figure.value)} {figure.unit}".rstrip(), *_asked(figure.asked, figure.value)


def _asked(asked: Asked | None, value: float) -> tuple[str, str]:
    if asked is None:
        return "", ""
    return str(asked), "yes" if asked.is_met(value) else "**no**"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004


def _is_shown(cost: float | None) -> bool:
    return cost is not None and cost >= SHOWN_MS


def _cost(cost: float | None) -> str:
    return f"{cost:.2f}" if cost is not None and _is_shown(cost) else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    align = [":--", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, align, *rows))
