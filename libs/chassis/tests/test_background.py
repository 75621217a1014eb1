"""Background work of an app: start, restart after failures, orderly shutdown."""

import asyncio
import time

import httpx
import pytest

from desk.chassis.app import Background, Worker, base_app
from desk.testing.health import get_health


@pytest.fixture
def app(telemetry):
    def app(**background):
        return base_app("maker", "Maker", telemetry, background=Background(**background))

    return app


@pytest.fixture
def crashes(telemetry):
    return lambda: telemetry.registry.get_sample_value("desk_worker_crashes_total", {"worker": "work"})


@pytest.fixture
def quick(monkeypatch, logged):
    monkeypatch.setattr("desk.chassis.app.background.FIRST_PAUSE_SECONDS", 0.001)


class Work:
    """Work that fails a given number of times and then runs until it is asked to finish."""

    def __init__(self, *, failures=0):
        self.failures = failures
        self.begun = 0
        self.running, self.ended = asyncio.Event(), asyncio.Event()
        self._finish = asyncio.Event()

    async def run(self):
        self.begun += 1
        if self.begun <= self.failures:
            raise RuntimeError("the broker said no")
        self.running.set()
        await self._finish.wait()
        self.ended.set()

    def finish(self):
        self._finish.set()

    async def runs(self):
        await asyncio.wait_for(self.running.wait(), 60)


async def test_a_worker_runs_while_the_app_does(app, started):
    work = Work()
    async with started(app(workers=[Worker("work", work.run, work.finish)])):
        await work.runs()
        assert not work.ended.is_set()


async def test_a_failed_worker_is_restarted(app, started, quick):
    work = Work(failures=3)
    async with started(app(workers=[Worker("work", work.run, work.finish)])):
        await work.runs()
    assert work.begun == 4


async def test_failures_of_a_worker_are_counted(app, started, quick, crashes):
    work = Work(failures=3)
    async with started(app(workers=[Worker("work", work.run, work.finish)])):
        await work.runs()
    assert crashes() == 3


async def test_a_worker_that_ends_by_itself_is_restarted(app, started, quick, crashes):
    ends, again = [], asyncio.Event()

    async def run():
        ends.append("end")
        if len(ends) == 3:
            again.set()

    async with started(app(workers=[Worker("work", run)])):
        await asyncio.wait_for(again.wait(), 60)
    assert crashes() is None


async def test_a_worker_that_keeps_failing_waits_longer_each_time(app, started, quick, monkeypatch, until):
    waits, timeout = [], asyncio.timeout

    def noted(seconds):
        if asyncio.current_task().get_name() == "work":
            waits.append(seconds)
            seconds = 0
        return timeout(seconds)

    monkeypatch.setattr(asyncio, "timeout", noted)
    monkeypatch.setattr("desk.chassis.app.background.FIRST_PAUSE_SECONDS", 1)
    work = Work(failures=6)
    async with started(app(workers=[Worker("work", work.run, work.finish)])):
        await work.runs()
    assert waits[:6] == [1, 2, 4, 8, 10, 10]


async def test_one_failing_worker_does_not_end_another(app, started, quick):
    failing, fine = Work(failures=2), Work()
    workers = [Worker("work", failing.run, failing.finish), Worker("other", fine.run, fine.finish)]
    async with started(app(workers=workers)):
        await failing.runs()
        assert not fine.ended.is_set()
    assert fine.begun == 1


async def test_a_worker_may_finish_its_work(app, started):
    work = Work()
    async with started(app(workers=[Worker("work", work.run, work.finish)])):
        await work.runs()
    assert work.ended.is_set()


async def test_a_worker_without_finish_is_cancelled(app, started):
    work = Work()
    async with started(app(workers=[Worker("work", work.run)])):
        await work.runs()
    assert not work.ended.is_set()


async def test_a_worker_that_does_not_finish_in_time_is_cancelled(app, started, monkeypatch):
    monkeypatch.setattr("desk.chassis.app.background.FINISH_SECONDS", 0.05)
    work = Work()
    async with asyncio.timeout(60), started(app(workers=[Worker("work", work.run, lambda: None)])):
        await work.runs()
    assert not work.ended.is_set()


async def test_a_worker_in_its_pause_does_not_delay_the_shutdown(app, started, monkeypatch, quick, until):
    monkeypatch.setattr("desk.chassis.app.background.FIRST_PAUSE_SECONDS", 3600)
    work = Work(failures=9)

    async def has_failed():
        return work.begun == 1

    begun = time.monotonic()
    async with started(app(workers=[Worker("work", work.run, work.finish)])):
        await until(has_failed)
    assert time.monotonic() - begun < 60


async def test_it_is_not_ready_any_more_when_it_stops(app):
    statuses = []

    async def ask():
        transport = httpx.ASGITransport(stopping)
        async with httpx.AsyncClient(transport=transport, base_url="http://maker") as client:
            statuses.append((await get_health(client, "/health/ready")).status_code)

    stopping = app(drain=ask)
    async with stopping.router.lifespan_context(stopping):
        await ask()
    assert statuses == [200, 503]


@pytest.fixture
def story():
    return []


@pytest.fixture
def note(story):
    """Background work that records its steps and fails at a given one."""

    def note(name, error=None):
        async def step():
            story.append(name)
            if error is not None:
                raise error

        return step

    return note


async def test_everything_ends_in_order(app, started, story, note):
    begun = asyncio.Event()

    async def run():
        story.append("work begins")
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            story.append("work ends")

    background = {"start": note("start"), "drain": note("drain"), "stop": [note("stop 1"), note("stop 2")]}
    async with started(app(**background, workers=[Worker("work", run)])):
        await asyncio.wait_for(begun.wait(), 60)
    assert story == ["start", "work begins", "drain", "work ends", "stop 1", "stop 2"]


@pytest.mark.parametrize("failing", ["drain", "stop 1"])
async def test_an_error_during_shutdown_does_not_keep_other_connections_open(app, story, note, failing):
    steps = {name: note(name, RuntimeError() if name == failing else None) for name in ("drain", "stop 1", "stop 2")}
    stopping = app(drain=steps["drain"], stop=[steps["stop 1"], steps["stop 2"]])

    async def run():
        async with stopping.router.lifespan_context(stopping):
            pass

    with pytest.raises(RuntimeError):
        await run()
    assert story == ["drain", "stop 1", "stop 2"]


async def test_without_background_work_an_app_just_runs(app, started):
    async with started(app()) as client:
        assert (await get_health(client, "/health/ready")).status_code == 200
