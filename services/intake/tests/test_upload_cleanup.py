"""Files that no request has claimed are deleted after a day."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from desk.chassis.app import PeriodicTask
from desk.intake.workers.upload_cleanup import UploadCleanup


class IdleCleanup(UploadCleanup):
    """The service's own worker, which could delete a file before the test does."""

    async def run_once(self):
        return None


@pytest.fixture(autouse=True)
def _no_cleanup_in_the_background(monkeypatch):
    monkeypatch.setattr("desk.intake.app.UploadCleanup", IdleCleanup)


@pytest.fixture
def cleanup(desk):
    return UploadCleanup(desk.parts.database, desk.parts.vault, desk.storage)


@pytest.fixture
def running(cleanup):
    """Run the cleanup again and again, with a pause in seconds."""

    @asynccontextmanager
    async def running(pause=0.01):
        periodic = PeriodicTask(cleanup.run_once, pause)
        task = asyncio.create_task(periodic.run())
        yield
        assert not task.done()
        periodic.finish()
        async with asyncio.timeout(60):
            await task

    return running


@pytest.fixture
def age(desk):
    """Let files become older than a day."""

    async def age(*files):
        for file_id in files:
            await desk.change(
                "UPDATE attachment SET uploaded_at = '2026-01-01 00:00:00.000000' WHERE id = :id", id=file_id
            )

    return age


@pytest.fixture
def files_left(desk):
    """Return the files that are left, which have both a row and an object."""

    async def files_left():
        rows = {row[0] for row in await desk.select("SELECT id FROM attachment")}
        assert await desk.objects() == rows
        return rows

    return files_left


async def test_a_file_no_request_claimed_within_a_day_is_deleted(desk, cleanup, age, files_left):
    await age(await desk.attachment())

    assert await cleanup.delete_batch() == 1
    assert await files_left() == set()


async def test_a_younger_file_stays(desk, cleanup, age, files_left):
    old, young = await desk.attachment(), await desk.attachment()
    await age(old)

    assert await cleanup.delete_batch() == 1
    assert await files_left() == {young}


async def test_a_file_of_a_request_stays_at_any_age(desk, cleanup, age, files_left):
    unclaimed, claimed = await desk.attachment(), await desk.attachment()
    await desk.submit(attachments=[claimed])
    await age(unclaimed, claimed)

    assert await cleanup.delete_batch() == 1
    assert await files_left() == {claimed}


async def test_a_deleted_file_cannot_be_attached(desk, cleanup, age, problem_of):
    file_id = await desk.attachment()
    await age(file_id)
    await cleanup.delete_batch()  # or the service's own worker, which may be faster
    assert await desk.count("attachment") == 0

    problem_of(await desk.submit(attachments=[file_id]), 422)


async def test_batches_follow_each_other_without_a_pause(desk, monkeypatch, running, age):
    await age(*[await desk.attachment() for _ in range(5)])
    monkeypatch.setattr("desk.intake.workers.upload_cleanup.BATCH", 2)

    async with running(pause=600), asyncio.timeout(60):
        while await desk.count("attachment"):  # noqa: ASYNC110 - rows have no event to wait for
            await asyncio.sleep(0.01)

    assert await desk.objects() == set()


async def test_while_the_store_is_unavailable_the_row_of_a_file_stays(desk, cleanup, age, files_left):
    file_id = await desk.attachment()
    await age(file_id)
    desk.storage.down = True
    assert await cleanup.delete_batch() == 0
    assert await files_left() == {file_id}

    desk.storage.down = False
    assert await cleanup.delete_batch() == 1
    assert await files_left() == set()


async def test_the_row_of_a_missing_object_is_deleted_too(desk, cleanup, age, files_left):
    file_id = await desk.attachment()
    await age(file_id)
    (await desk.object_of(file_id)).unlink()

    assert await cleanup.delete_batch() == 1
    assert await files_left() == set()
