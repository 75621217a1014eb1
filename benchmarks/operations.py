"""CPU time of the desk's operations by process, and the time that a submission takes at half of the capacity."""

import statistics
import time
from collections.abc import Callable

from benchmarks import applicants
from benchmarks.bench_desk import POLL_SECONDS, SETTLE_SECONDS, BenchDesk
from benchmarks.figures import Asked, Figure, Operation, Part
from benchmarks.meter import Meter
from support.embedded_desk import wait_for
from support.public_gateway import living

from desk.captcha.domain import Kind

WARM_UP = 40
IDLE_SECONDS = 10.0
GETS = 2000
SUBMISSION, LOOKUP, ANSWER = "submission", "tracking look-up", "expert's answer"
ASKED = {SUBMISSION: Asked(20), LOOKUP: Asked(9), ANSWER: Asked(12)}
ASKED_OF_SUBMISSION = {"captcha": 4.5, "intake": 4.5, "notifier": 5, "tracking": 2.5, "postgres": 3}


def warm_up(bench: BenchDesk) -> None:
    """Let every service do each operation, so that caches are filled and connections open."""
    people = bench.applicants(WARM_UP)
    mails = len(bench.desk.mail.mails)
    codes = bench.process.run(applicants.submit, bench.target, people)
    bench.settled_submissions(codes, mails)
    bench.process.run(applicants.track, bench.target, list(zip(people, codes, strict=True)))
    mails = len(bench.desk.mail.mails)
    bench.answer(codes)
    bench.settled_answers(codes, mails)


def operations(bench: BenchDesk, count: int) -> Part:
    """Measure submission, look-up and answer, ``count`` times each, and identification."""
    meter = bench.meter()
    meter.learn_idle(IDLE_SECONDS)
    measured = three_operations(bench, meter, count)
    return Part("Operations", [*measured, identification(bench, meter)], _by_process(measured[0]))


def three_operations(bench: BenchDesk, meter: Meter, count: int) -> list[Operation]:
    """Measure ``count`` submissions, a look-up of each and an answer to each."""
    people, mails = bench.applicants(count), len(bench.desk.mail.mails)
    costs: dict[str, dict[str, float]] = {}
    with meter.measured(count, costs.setdefault(SUBMISSION, {})):
        codes = bench.process.run(applicants.submit, bench.target, people)
        bench.settled_submissions(codes, mails)
    with meter.measured(count, costs.setdefault(LOOKUP, {})):
        bench.process.run(applicants.track, bench.target, list(zip(people, codes, strict=True)))
        wait_for(bench.pool_is_full, SETTLE_SECONDS, POLL_SECONDS)
    mails = len(bench.desk.mail.mails)
    with meter.measured(count, costs.setdefault(ANSWER, {})):
        bench.answer(codes)
        bench.settled_answers(codes, mails)
    return [Operation(name, found, ASKED[name]) for name, found in costs.items()]


def _by_process(submission: Operation) -> list[Figure]:
    return [
        Figure(f"submission, {name}", submission.costs[name], "CPU-ms", Asked(limit))
        for name, limit in ASKED_OF_SUBMISSION.items()
    ]


def identification(bench: BenchDesk, meter: Meter) -> Operation:
    """Measure a look-up in the registry with its proof of work, each of another synthetic person."""
    people = [
        applicants.Applicant(number, each.identity.national_id.value, each.identity.birth_date.isoformat())
        for number, each in enumerate(living())
    ]
    costs: dict[str, float] = {}
    with meter.measured(len(people), costs):
        bench.process.run(applicants.identify, bench.target, people)
    return Operation("identification", costs, charted=False)


def latency(bench: BenchDesk, count: int) -> Part:
    """Measure the capacity, and then how long submissions take that arrive at half of it."""
    people, mails, began = bench.applicants(count), len(bench.desk.mail.mails), time.monotonic()
    bench.settled_submissions(bench.process.run(applicants.submit, bench.target, people), mails)
    capacity = count / (time.monotonic() - began)
    took = bench.process.run(applicants.submit_at_rate, bench.target, bench.applicants(count), capacity / 2)
    percentiles = statistics.quantiles(took, n=100)
    return Part(
        "Rate and time of submissions",
        figures=[
            Figure("capacity: submissions until all their effects", capacity, "per second"),
            Figure("submission at half of the capacity, p50", percentiles[49] * 1000, "ms"),
            Figure("submission at half of the capacity, p99", percentiles[98] * 1000, "ms", Asked(250)),
        ],
    )


def routes(bench: BenchDesk, count: int) -> Part:
    """Measure the catalogue, a page and the kinds of challenges."""
    meter = bench.meter()
    meter.learn_idle(IDLE_SECONDS)

    def get(path: str) -> Callable[[], None]:
        return lambda: bench.process.run(applicants.get, bench.target, path, GETS)

    def issue(purpose: str, kind: Kind) -> Callable[[], None]:
        return lambda: bench.process.run(applicants.issue, bench.target, purpose, kind.value, count)

    documents = {"GET /api/catalog": "/api/catalog", "GET /, the home page": "/"}
    challenges = {
        "security code as a picture": ("submit", Kind.IMAGE),
        "security code as a sound": ("submit", Kind.SOUND),
        "proof of work": ("identity", Kind.WORK),
    }
    operations = [
        Operation(name, _costs(bench, meter, GETS, get(path)), Asked(0.3), charted=False)
        for name, path in documents.items()
    ]
    operations += [
        Operation(name, _costs(bench, meter, count, issue(*kind)), charted=False) for name, kind in challenges.items()
    ]
    return Part("Catalogue, pages and challenges", operations)


def _costs(bench: BenchDesk, meter: Meter, count: int, work: Callable[[], None]) -> dict[str, float]:
    costs: dict[str, float] = {}
    with meter.measured(count, costs):
        work()
        wait_for(bench.pool_is_full, SETTLE_SECONDS, POLL_SECONDS)
    return costs
