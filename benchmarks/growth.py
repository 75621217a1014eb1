"""Compares the CPU time of a desk with a million finished requests with that of an empty one, and shows the sizes.

See ``support.finished_requests`` for what is realistic in the filled databases, and what is not.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from cpu import Bench, Figures
from support.finished_requests import fill
from support.real_desk import RealDesk

from desk.testing.postgres import open_postgres
from desk.testing.rabbit import open_rabbit
from desk.testing.redis import open_redis
from desk.testing.s3 import open_s3

MEBIBYTE = 2**20
WARM_UP = 30


def sizes(desk: RealDesk) -> dict[str, tuple[float, int]]:
    """Return the MiB and the estimated rows of each table of at least one MiB, with its indexes and TOAST."""
    query = """SELECT relname, pg_total_relation_size(oid), reltuples::bigint FROM pg_class
               WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC"""
    return {
        f"{service}.{table}": (size / MEBIBYTE, rows)
        for service in desk.databases
        for table, size, rows in desk.rows(service, query)
        if size >= MEBIBYTE
    }


def compare(empty: Mapping[str, Figures], grown: Mapping[str, Figures]) -> Iterator[str]:
    """Yield a line for each operation and process, with the CPU-ms in both and the part by which it grew."""
    yield f"{'CPU-ms':30}{'empty':>10}{'filled':>10}{'more':>8}"
    for operation, before in empty.items():
        after = grown[operation]
        rows: list[tuple[str, float, float]] = [(name, before[name], after.get(name, 0.0)) for name in before]
        rows.append(("sum", sum(before.values()), sum(after.values())))
        for name, was, became in rows:
            more = f"{became / was - 1:8.0%}" if was >= 0.1 else ""  # noqa: PLR2004 - less is noise
            yield f"{operation + ' ' + name:30}{was:10.2f}{became:10.2f}{more}"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="CPU-ms on an empty and on a filled desk, and the size of its tables.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="finished requests (default: %(default)s)")
    parser.add_argument("--count", type=int, default=150, help="operations of each kind (default: %(default)s)")
    options = parser.parse_args()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        servers = [stack.enter_context(each()) for each in (open_postgres, open_rabbit, open_redis, open_s3)]
        desk = RealDesk(Path(folder), *servers)
        stack.callback(desk.close)
        Bench(desk).run(WARM_UP)  # a desk that has just started needs more CPU time
        empty = Bench(desk, 1000).run(options.count)
        began = time.monotonic()
        fill(desk, options.rows)
        sys.stdout.write(f"filled with {options.rows} requests in {time.monotonic() - began:.0f} s\n")
        for table, (size, rows) in sizes(desk).items():
            sys.stdout.write(f"{table:40}{size:10.0f} MiB{rows:12} rows\n")
        grown = Bench(desk, 100_000).run(options.count)
    for line in compare(empty, grown):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
