"""How long an applicant waits for the SMS: from the request's commit until a provider of SMS has it.

The whole desk runs as processes on real servers. The provider is an HTTP server that delays each response.
The target is a p95 of at most 10 s. The bare limit is the provider's own response time, so the ratio shows the
overhead of the desk. Figures are of this machine and run.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from desk.security.logs import configure_logging
from desk.testing.postgres import open_postgres
from desk.testing.rabbit import open_rabbit
from desk.testing.redis import open_redis
from desk.testing.s3 import open_s3

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.embedded_desk import wait_for
from support.real_desk import RealDesk
from support.sms_server import KEY, SmsServer

TARGET_SECONDS = 10.0
PATIENCE_SECONDS = 120.0


def bare_seconds(server: SmsServer) -> float:
    """Send one SMS to the provider without the desk; return the median seconds of 20."""
    took = []
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {KEY}"}) as client:
        for number in range(20):
            begun = time.perf_counter()
            client.post("/messages", json={"reference": f"bare-{number}", "to": "+989120000000", "text": "bare"})
            took.append(time.perf_counter() - begun)
    return middle(sorted(took))


def waits(desk: RealDesk, server: SmsServer, count: int, parallel: int) -> tuple[list[float], list[float], float]:
    """Submit requests; return the seconds from each commit until its SMS was queued and until the provider received it.

    Both lists are sorted. The third value is the number of submissions per second.
    """
    begun = time.perf_counter()
    codes = [sent.code for sent in desk.submit_many(count, parallel=parallel)]
    rate = count / (time.perf_counter() - begun)

    def arrivals() -> dict[str, float]:
        with server.lock:
            texts = dict(server.arrivals)
        return {code: at for text, at in texts.items() for code in codes if code in text}

    wait_for(lambda: len(arrivals()) == count, PATIENCE_SECONDS)
    rows = desk.rows("intake", "SELECT tracking_code, submitted_at FROM request")
    written = {str(code): at.timestamp() for code, at in rows}  # set in the transaction, so slightly before its commit
    rows = desk.rows("notifier", "SELECT tracking_code, created_at FROM message WHERE channel = 'sms'")
    queued = sorted(at.timestamp() - written[str(code)] for code, at in rows if str(code) in codes)
    return queued, sorted(at - written[code] for code, at in arrivals().items()), rate


def report(name: str, measured: tuple[list[float], list[float], float], bare: float) -> None:
    """Print the figures of one measurement."""
    queued, took, rate = measured
    p50, p95 = middle(took), late(took)
    print(f"  {name} ({len(took)} notices, {rate:.1f} requests/s)")
    print(f"    commit to provider: p50 {p50:.2f} s, p95 {p95:.2f} s, slowest {took[-1]:.2f} s")
    print(f"    of that until queued: p50 {middle(queued):.2f} s, p95 {late(queued):.2f} s")
    print(
        f"    p95 / target {TARGET_SECONDS:.0f} s: {p95 / TARGET_SECONDS:.2f}; p50 / bare hand-over: {p50 / bare:.1f}"
    )


def middle(ordered: list[float]) -> float:
    """Return the median."""
    return ordered[len(ordered) // 2]


def late(ordered: list[float]) -> float:
    """Return the 95th percentile."""
    return ordered[int(len(ordered) * 0.95)]


def main() -> None:
    """Start the servers and the desk, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="requests per measurement")
    parser.add_argument("--provider-seconds", type=float, default=0.3, help="response time of the provider")
    options = parser.parse_args()
    configure_logging(level="ERROR")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(open_postgres(settings={"fsync": "on", "full_page_writes": "on"}))
        rabbit, redis = stack.enter_context(open_rabbit()), stack.enter_context(open_redis())
        s3 = stack.enter_context(open_s3())
        server = SmsServer()
        stack.callback(server.stop)
        server.pause, server.generic.state = options.provider_seconds, "delivered"
        desk = RealDesk(folder, postgres, rabbit, redis, s3)
        stack.callback(desk.close)
        never = {"QUIET_FROM": "00:00", "QUIET_UNTIL": "00:00"}
        desk["notifier"].restart(SMS="generic", GENERIC_URL=server.url, GENERIC_KEY=KEY, **never)
        bare = bare_seconds(server)
        print(f"notices: PostgreSQL {postgres.how}; RabbitMQ {rabbit.how}; a bare hand-over takes {bare:.2f} s")
        report("one request after another", waits(desk, server, max(20, options.count // 5), 1), bare)
        report("four at a time", waits(desk, server, options.count, 4), bare)


if __name__ == "__main__":
    main()
