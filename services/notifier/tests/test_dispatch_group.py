"""Which of a channel's dispatchers looks for messages, and when."""

import asyncio

import pytest

from desk.notifier.service.dispatch import BATCH_SIZE
from desk.notifier.workers import DispatchGroup


class SlowDispatcher:
    """Has a number of due messages, and sends a batch when it is released."""

    def __init__(self):
        self.due, self.batches, self.looks = 0, [], 0
        self.release = asyncio.Event()

    async def send_due(self, on_full_batch):
        self.looks += 1
        batch = min(self.due, BATCH_SIZE)
        self.due -= batch
        if batch == BATCH_SIZE:
            on_full_batch()
        if batch:
            self.batches.append(batch)
            await self.release.wait()
        return batch


@pytest.fixture
async def dispatcher(monkeypatch):
    monkeypatch.setattr("desk.notifier.workers.dispatch.PAUSE_SECONDS", 60.0)
    monkeypatch.setattr("desk.notifier.workers.dispatch.GATHER_SECONDS", 0.01)
    return SlowDispatcher()


@pytest.fixture
async def group(dispatcher):
    group = DispatchGroup(dispatcher, 3)
    running = [asyncio.create_task(task.run()) for task in group.tasks]
    await until(lambda: all(task.waits for task in group.tasks))
    yield group
    for task in group.tasks:
        task.finish()
    dispatcher.release.set()
    await asyncio.gather(*running)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.005)


async def test_one_look_serves_several_wake_ups(group, dispatcher):
    dispatcher.due = 2
    for _ in range(5):
        group.wake()
    await until(lambda: dispatcher.batches == [2])
    assert dispatcher.looks == 3 + 1, "each task looks once when it starts"


async def test_while_one_sends_the_next_is_woken(group, dispatcher):
    for number in (1, 2, 3):
        dispatcher.due = number
        group.wake()
        await until(lambda number=number: dispatcher.batches == [1, 2, 3][:number])


async def test_a_full_batch_wakes_the_next(group, dispatcher):
    dispatcher.due = 2 * BATCH_SIZE + 1
    group.wake()
    await until(lambda: dispatcher.batches == [BATCH_SIZE, BATCH_SIZE, 1])


async def test_a_message_that_is_queued_while_all_send_is_sent_when_one_is_ready(group, dispatcher):
    dispatcher.due = 2 * BATCH_SIZE + 1
    group.wake()
    await until(lambda: len(dispatcher.batches) == 3)
    dispatcher.due = 5
    group.wake()
    dispatcher.release.set()
    await until(lambda: dispatcher.batches[3:] == [5])
