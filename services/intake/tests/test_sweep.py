import asyncio
from contextlib import asynccontextmanager

import pytest

from desk.intake.sweep import Sweep


@pytest.fixture
def sweeping(desk, monkeypatch):
    """Sweep over and over, or with long pauses."""

    @asynccontextmanager
    async def sweeping(pause=0.01):
        monkeypatch.setattr("desk.intake.sweep.PAUSE_SECONDS", pause)
        sweep = Sweep(desk.parts.database, desk.parts.vault, desk.storage)
        task = asyncio.create_task(sweep.run())
        yield
        assert not task.done()
        sweep.finish()
        async with asyncio.timeout(5):
            await task

    return sweeping


@pytest.fixture
def grow_old(desk):
    async def grow_old(*files):
        for file_id in files:
            await desk.change(
                "UPDATE attachment SET uploaded_at = '2026-01-01 00:00:00.000000' WHERE id = :id", id=file_id
            )

    return grow_old


@pytest.fixture
def becomes(desk):
    """Wait until exactly these files are left, as rows and as objects."""

    async def becomes(*files):
        async with asyncio.timeout(10):
            while {row[0] for row in await desk.select("SELECT id FROM attachment")} != set(files):  # noqa: ASYNC110 - rows have no event to wait for
                await asyncio.sleep(0.01)
        assert desk.objects() == set(files)

    return becomes


async def test_a_file_no_request_claimed_within_a_day_is_forgotten(desk, sweeping, grow_old, becomes):
    await grow_old(await desk.attachment())

    async with sweeping():
        await becomes()


async def test_a_younger_file_stays(desk, sweeping, grow_old, becomes):
    old, young = await desk.attachment(), await desk.attachment()
    await grow_old(old)

    async with sweeping():
        await becomes(young)


async def test_a_file_of_a_request_stays_however_old(desk, sweeping, grow_old, becomes):
    unclaimed, claimed = await desk.attachment(), await desk.attachment()
    await desk.submit(attachments=[claimed])
    await grow_old(unclaimed, claimed)

    async with sweeping():
        await becomes(claimed)


async def test_a_forgotten_file_cannot_be_attached(desk, sweeping, grow_old, becomes, problem_of):
    file_id = await desk.attachment()
    await grow_old(file_id)
    async with sweeping():
        await becomes()

    problem_of(await desk.submit(attachments=[file_id]), 422)


async def test_however_many_have_grown_old_one_sweep_forgets_them(desk, monkeypatch, sweeping, grow_old, becomes):
    await grow_old(*[await desk.attachment() for _ in range(5)])
    monkeypatch.setattr("desk.intake.sweep.BATCH", 2)

    async with sweeping(pause=60):
        await becomes()


async def test_while_the_store_is_away_no_row_is_forgotten_whose_object_remains(desk, sweeping, grow_old, becomes):
    file_id = await desk.attachment()
    await grow_old(file_id)
    desk.storage.down = True
    async with sweeping():
        await asyncio.sleep(0.1)
        await becomes(file_id)

        desk.storage.down = False
        await becomes()


async def test_a_file_whose_object_is_gone_already_is_forgotten_too(desk, sweeping, grow_old, becomes):
    file_id = await desk.attachment()
    await grow_old(file_id)
    (desk.folder / file_id).unlink()

    async with sweeping():
        await becomes()
