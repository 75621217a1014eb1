"""``python -m benchmarks``: measures the desk, and writes RESULTS.md and results.svg; ``--only`` prints some parts."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from benchmarks import operations, processes
from benchmarks.bench_desk import open_bench_desk
from benchmarks.chart import chart
from benchmarks.figures import Part
from benchmarks.grown_desk import grown
from benchmarks.helpdesk.tickets import compared, helpdesk
from benchmarks.intake_rates import intake
from benchmarks.machine import machine
from benchmarks.operations import SUBMISSION
from benchmarks.relay_rates import relay
from benchmarks.report import CHART, costs_table, figures_table, markdown
from benchmarks.servers import Servers, open_servers
from benchmarks.trace_costs import trace_costs

from desk.security.logs import configure_logging

HERE = Path(__file__).parent
BEFORE_WARM_UP = ("start", "idle")
AFTER_WARM_UP = ("operations", "latency", "routes", "memory")
OTHER_PARTS = ("helpdesk", "intake", "traces", "relay")
PARTS = (*BEFORE_WARM_UP, *AFTER_WARM_UP, *OTHER_PARTS)
EVENTS = 2000


def main() -> None:
    """Run the command line."""
    options = _options()
    configure_logging(level="ERROR")
    began, parts = time.monotonic(), list[Part]()
    with open_servers() as servers:
        for part in _measured(servers, options):
            parts.append(part)
            sys.stderr.write(f"bench: {part.title}: done after {time.monotonic() - began:.0f} s\n")
        facts = dict(machine(servers)) | {"Duration": f"{(time.monotonic() - began) / 60:.0f} minutes"}
    measured = [operation for part in parts for operation in part.operations]
    if options.only:
        sys.stdout.write(f"{costs_table(measured)}\n\n{figures_table(parts)}\n")
    else:
        (HERE / "RESULTS.md").write_text(markdown(parts, facts), encoding="utf-8")
        shown = [operation for operation in measured if operation.charted]
        (HERE / CHART).write_text(chart(shown, "CPU time per operation"), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, help="print these parts and write nothing")
    parser.add_argument("--count", type=int, default=400, help="operations of each kind (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=10_000, help="submissions before memory is measured again")
    parser.add_argument("--rows", type=int, default=0, help="also measure a desk with this many finished requests")
    return parser.parse_args()


def _measured(servers: Servers, options: argparse.Namespace) -> Iterator[Part]:
    wanted, sums = options.only or PARTS, dict[str, float]()
    if any(name in wanted for name in (*BEFORE_WARM_UP, *AFTER_WARM_UP)):
        for part in _of_desk(servers, wanted, options):
            sums |= {operation.name: operation.total for operation in part.operations}
            yield part
    if options.rows:
        yield grown(servers, options.rows, options.count, sums)
    if "helpdesk" in wanted:
        tickets = helpdesk(servers, options.count)
        yield compared(sums, tickets) if SUBMISSION in sums else tickets
    if "intake" in wanted:
        yield intake(servers, options.count)
    if "traces" in wanted:
        yield trace_costs(servers, options.count)
    if "relay" in wanted:
        yield relay(servers, EVENTS)


def _of_desk(servers: Servers, wanted: Sequence[str], options: argparse.Namespace) -> Iterator[Part]:
    with open_bench_desk(servers) as bench:
        parts: Mapping[str, Callable[[], Part]] = {
            "start": lambda: processes.starts(bench),
            "idle": lambda: processes.idle(bench),
            "operations": lambda: operations.operations(bench, options.count),
            "latency": lambda: operations.latency(bench, options.count),
            "routes": lambda: operations.routes(bench, options.count),
            "memory": lambda: processes.after_requests(bench, options.requests),
        }
        for name in BEFORE_WARM_UP:
            if name in wanted:
                yield parts[name]()
        later = [name for name in AFTER_WARM_UP if name in wanted]
        if later:
            operations.warm_up(bench)
        for name in later:
            yield parts[name]()


if __name__ == "__main__":
    main()
