"""Each of these faults lets the alarms for it fire, and no other: real metrics, read by a real Prometheus."""

import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aio_pika import Message
from aio_pika.abc import AbstractChannel
from faults.prometheus import Prometheus, prometheus
from faults.scale import FULL, TEST_SECONDS
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(TEST_SECONDS),
    pytest.mark.skipif(not FULL, reason="takes ten minutes: make faults FULL=1"),
]

ALARM_SECONDS = 150.0
PROBE_SECONDS = 60.0
AFTER_SECONDS = 15
"""For how long after the alarm no other may fire: a quarter of an hour for the rules."""
Fault = Callable[[RealDesk], None]

CRASHING_WORKER = """
from desk.chassis.app import HousekeepingTask, background
from desk.intake.workers.upload_cleanup import UploadCleanup

async def delete_batch(self):
    raise RuntimeError("broken on purpose")

HousekeepingTask.START_SECONDS = 0.0
background.FIRST_PAUSE_SECONDS = background.LONGEST_PAUSE_SECONDS = 0.5
UploadCleanup.delete_batch = delete_batch
"""

BROKEN_LOOKUPS = """
from desk.tracking.routes.guards import LookupGuard

def admit(self, query, source):
    raise RuntimeError("broken on purpose")

LookupGuard.admit = admit
"""


STUCK_CONSUMER = """
import asyncio
from desk.chassis.bus import consumer

async def handle(self, message):
    await asyncio.Event().wait()

consumer.Bus.handle = handle
"""
MANY_EVENTS = 1200
"""More than may wait in the queue of a service."""


def fill(queue: str, count: int) -> Callable[[AbstractChannel], Coroutine[Any, Any, None]]:
    """Return what publishes so many messages into a queue."""

    async def publish(channel: AbstractChannel) -> None:
        for _ in range(count):
            await channel.default_exchange.publish(Message(b"{}"), queue)

    return publish


def insert_probe(desk: RealDesk, code: str, *, submitted: int, found: int) -> None:
    """Record a synthetic request that was submitted and found so many seconds ago."""
    moments = ", ".join(f"now() - interval '{seconds} seconds'" for seconds in (submitted, submitted, found))
    desk.execute("tracking", "DELETE FROM probe")
    desk.execute("tracking", f"INSERT INTO probe VALUES ('{code}', {moments})")  # noqa: S608 - values of this file


@pytest.fixture
def desk(clean_desk: RealDesk) -> RealDesk:
    """A desk whose probe has just been successful."""
    insert_probe(clean_desk, "000000000001", submitted=1, found=0)
    tracking = clean_desk["tracking"]
    wait_for(lambda: time.time() - tracking.metric("desk_probe_success_time_seconds") < PROBE_SECONDS)
    return clean_desk


@pytest.fixture
def watching(desk: RealDesk, tmp_path: Path) -> Iterator[Callable[[], Prometheus]]:
    """Start a Prometheus; most faults come after it has read the services."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(prometheus(desk, _new(tmp_path / "prometheus")))


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def expect_alarms(watching: Prometheus, *names: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Wait until these alarms fire, and check that no other does by then and for a while."""
    seen = set[str]()

    def fire() -> bool:
        meanwhile()
        seen.update(watching.alarms())
        return set(names) <= seen

    wait_for(fire, ALARM_SECONDS, pause=1)
    wait_for(_rounds(AFTER_SECONDS, fire), ALARM_SECONDS, pause=1)
    assert seen == set(names)


def _rounds(number: int, act: Callable[[], object]) -> Callable[[], bool]:
    left = iter(range(number))

    def again() -> bool:
        act()
        return next(left, None) is None

    return again


@contextmanager
def killed_scanner(desk: RealDesk) -> Iterator[None]:
    desk.clamav.kill()
    try:
        yield
    finally:
        desk.clamav.start()


def test_a_healthy_desk_raises_no_alarm(desk: RealDesk, watching: Callable[[], Prometheus]):
    expect_alarms(watching(), meanwhile=desk.submit)


def test_a_service_that_is_down(desk: RealDesk, watching: Callable[[], Prometheus]):
    running = watching()
    desk["captcha"].kill()
    expect_alarms(running, "DeskServiceDown")


def test_a_scanner_that_is_down(desk: RealDesk, watching: Callable[[], Prometheus]):
    running = watching()
    with killed_scanner(desk):
        desk.submit(0, attachments=[desk.applicant(0).upload("letter.pdf", PDF)])
        expect_alarms(running, "DeskFilesPending")


def test_an_event_that_breaks_the_contract(desk: RealDesk, watching: Callable[[], Prometheus]):
    running = watching()
    desk.province.send(b"{}", "case-answered", "0b9a7d5e-3c41-4f0e-9d5b-6f2f6d1f7a10")
    expect_alarms(running, "DeskDeadLetters")


def test_an_office_whose_system_refuses_events(desk: RealDesk, watching: Callable[[], Prometheus]):
    running = watching()
    desk.province.refuses = True
    desk.submit()
    expect_alarms(running, "DeskOfficeDeadLetters")


def test_a_consumer_that_no_longer_handles_events(desk: RealDesk, watching: Callable[[], Prometheus]):
    desk["notifier"].restart(STUCK_CONSUMER)
    running = watching()
    desk.broker.do(fill("notifier", MANY_EVENTS))
    expect_alarms(running, "DeskQueueGrowing")


@pytest.mark.usefixtures("restored_servers")
def test_a_broker_that_is_down(desk: RealDesk, watching: Callable[[], Prometheus]):
    running = watching()
    desk.rabbit.kill()
    desk.submit()
    expect_alarms(running, "DeskEventsUnsent", "DeskQueueUnserved")


def test_a_worker_that_crashes(desk: RealDesk, watching: Callable[[], Prometheus]):
    desk["intake"].restart(CRASHING_WORKER)
    expect_alarms(watching(), "DeskWorkerCrashing")


def test_look_ups_that_fail(desk: RealDesk, watching: Callable[[], Prometheus]):
    code = desk.submit().code
    desk["tracking"].restart(BROKEN_LOOKUPS)
    applicant = desk.applicant()
    budget = ("DeskErrorBudgetFast", "DeskErrorBudgetSteady", "DeskErrorBudgetSlow")
    expect_alarms(watching(), *budget, meanwhile=lambda: applicant.track(code))


def test_a_registry_that_fails(desk: RealDesk, watching: Callable[[], Prometheus]):
    desk.applicants.clear()
    desk.forget_redis()
    control = f"{desk['registry-simulator'].url}/control"
    running = watching()
    httpx.put(control, json={"errors": -1}, timeout=30).raise_for_status()
    try:
        typed = {"first_name": "ناشناس", "last_name": "آزمایشی", "gender": "female"}
        expect_alarms(running, "DeskRegistryLeftAlone", meanwhile=lambda: desk.submit(60, applicant=typed))
    finally:
        httpx.put(control, json={}, timeout=30).raise_for_status()
        desk["registry-gateway"].changed = True
        desk.applicants.clear()


def test_an_audit_log_whose_end_was_changed(desk: RealDesk, watching: Callable[[], Prometheus]):
    running = watching()
    desk.execute("tracking", "UPDATE audit_head SET seq = seq + 1 WHERE id = 1")
    try:  # tracking looks at the end when it adds an entry, for example about a refused assertion
        refused = desk.client.post("/api/probe/tracking", json={}, headers={"Authorization": "Bearer not.an.assertion"})
        assert refused.status_code == httpx.codes.UNAUTHORIZED
        expect_alarms(running, "DeskAuditBroken")
    finally:
        desk.execute("tracking", "UPDATE audit_head SET seq = seq - 1 WHERE id = 1")


def test_a_probe_that_has_not_run(desk: RealDesk, watching: Callable[[], Prometheus]):
    insert_probe(desk, "000000000002", submitted=401, found=400)
    expect_alarms(watching(), "DeskProbeFailing")


def test_a_probe_that_is_slow(desk: RealDesk, watching: Callable[[], Prometheus]):
    insert_probe(desk, "000000000003", submitted=25, found=1)
    expect_alarms(watching(), "DeskProbeSlow")
