"""The three operations on a desk that has many finished requests in its databases."""

from collections.abc import Mapping

from benchmarks import operations
from benchmarks.bench_desk import open_bench_desk
from benchmarks.figures import Asked, Figure, Operation, Part
from benchmarks.servers import Servers
from support.finished_requests import fill, sizes

ASKED = Asked(1.1)


def grown(servers: Servers, rows: int, count: int, empty: Mapping[str, float]) -> Part:
    """Fill a second desk with finished requests and measure it; ``empty`` has the first one's sums by operation."""
    with open_bench_desk(servers) as bench:
        fill(bench.desk, rows)
        disk = [Figure(f"databases, {name}", size, "MB") for name, size in sizes(bench.desk).items()]
        operations.warm_up(bench)
        meter = bench.meter()
        meter.learn_idle(operations.IDLE_SECONDS)
        measured = operations.three_operations(bench, meter, count)
        latency = operations.latency(bench, count)
    ratios = [
        Figure(f"{each.name}, ÷ that of the empty desk", each.total / empty[each.name], "", ASKED)
        for each in measured
        if each.name in empty
    ]
    return Part(
        f"With {rows:,} finished requests",
        operations=[
            Operation(f"{each.name}, {rows:,} requests", each.costs, each.asked, charted=False) for each in measured
        ],
        figures=[*ratios, *latency.figures, *disk],
    )
