"""When a housekeeping task calls its function for the first time."""

import asyncio

import pytest

from desk.chassis.app import HousekeepingTask


class RefusedError(Exception):
    """An error of the function."""


class Calls:
    """A function that counts its calls, and fails as often as asked."""

    def __init__(self, failures=0):
        self.count, self.failures = 0, failures
        self.called = asyncio.Event()

    async def run_once(self):
        self.count += 1
        self.called.set()
        if self.count <= self.failures:
            raise RefusedError


@pytest.fixture
def calls():
    return Calls()


@pytest.fixture
async def started(calls):
    """A task with the pause of production, which has begun to wait."""
    task = HousekeepingTask(calls.run_once, 3600)
    running = asyncio.create_task(task.run())
    await asyncio.sleep(0)
    yield task, running
    task.finish()
    await running


async def test_the_first_call_is_not_part_of_the_start(started, calls):
    task, _ = started
    for _ in range(100):
        await asyncio.sleep(0)
    assert calls.count == 0

    task.wake()
    async with asyncio.timeout(60):
        await calls.called.wait()
    assert calls.count == 1


async def test_a_task_that_is_stopped_before_its_first_call_ends_at_once(started, calls):
    task, running = started
    task.finish()
    async with asyncio.timeout(25):  # less than the shortest pause
        await running
    assert calls.count == 0


async def test_replicas_that_start_together_do_not_call_together(calls):
    pauses = {HousekeepingTask(calls.run_once, 3600)._first_pause() for _ in range(20)}
    assert len(pauses) == 20
    assert all(30 <= each <= 60 for each in pauses)


async def test_a_task_that_is_restarted_after_an_error_does_not_wait_again(monkeypatch):
    monkeypatch.setattr(HousekeepingTask, "START_SECONDS", 0.0)
    calls = Calls(failures=1)
    task = HousekeepingTask(calls.run_once, 3600)
    with pytest.raises(RefusedError):
        await task.run()

    monkeypatch.setattr(HousekeepingTask, "START_SECONDS", 3600.0)
    calls.called.clear()
    running = asyncio.create_task(task.run())
    async with asyncio.timeout(60):
        await calls.called.wait()
    task.finish()
    await running
    assert calls.count == 2
