"""Start time, idle CPU time and memory of the services."""

import time
from functools import partial

from benchmarks import applicants
from benchmarks.bench_desk import OURS, SETTLE_SECONDS, BenchDesk
from benchmarks.figures import Asked, Figure, Part
from support.embedded_desk import wait_for

IDLE_SECONDS = 30.0
PERCENT = 100
BATCH = 500
"""Requests that are sent before the desk is given time to finish them."""
ASKED_MB, ASKED_PERCENT = Asked(45), Asked(0.5)


def starts(bench: BenchDesk) -> Part:
    """Start each service again, one after another, and measure until it is ready."""
    part = Part("Start of a service until it is ready")
    for name in OURS:
        service = bench.desk[name]
        service.terminate()
        began = time.monotonic()
        service.start()
        wait_for(partial(service.answers, "/health/ready"), SETTLE_SECONDS)
        wall, cpu = time.monotonic() - began, service.process.cpu_times()
        part.figures += [
            Figure(f"{name}, CPU time", cpu.user + cpu.system, "CPU-s"),
            Figure(f"{name}, wall time", wall, "s"),
        ]
    wait_for(bench.desk.is_served, SETTLE_SECONDS)
    return part


def idle(bench: BenchDesk) -> Part:
    """Measure the services while nothing happens; call it before they have work."""
    wait_for(bench.pool_is_full, SETTLE_SECONDS)
    return Part("Idle, before the first request", figures=_state(bench))


def after_requests(bench: BenchDesk, count: int) -> Part:
    """Measure the services again after ``count`` submissions."""
    for first in range(0, count, BATCH):
        people, mails = bench.applicants(min(BATCH, count - first)), len(bench.desk.mail.mails)
        bench.settled_submissions(bench.process.run(applicants.submit, bench.target, people), mails)
        bench.desk.mail.mails.clear()
    return Part(f"Idle, after {count:,} submissions", figures=_state(bench))


def _state(bench: BenchDesk) -> list[Figure]:
    meter = bench.meter()
    shares, memory = meter.learn_idle(IDLE_SECONDS), meter.memory()
    return [Figure(f"{name}, unique memory", memory[name], "MB", ASKED_MB) for name in OURS] + [
        Figure(f"{name}, CPU time", shares[name] * PERCENT, "% of a core", ASKED_PERCENT) for name in OURS
    ]
