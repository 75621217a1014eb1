"""Two sessions of PostgreSQL race for the same rows.

SQLite runs one writing transaction at a time, so there a missing lock would not be noticed. A session that waits for a
lock although it must not is ended by the statement timeout of `Database`, which fails its test.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from desk.database import Database
from desk.intake.domain import Uploader
from desk.intake.store import AttachmentStore, IdentityCheckStore, ReplyAttachmentStore

pytestmark = pytest.mark.usefixtures("no_checks_in_the_background")

PENDING = {"sub": "0013542419", "birth_date": "1361-12-05", "status": "pending"}
SESSION, OTHER_SESSION = (Uploader("0013542419", upload_session=each) for each in ("one", "other"))
TYPED = {"first_name": "زهره", "last_name": "رضائی", "gender": "female"}


@pytest.fixture
def database_kind():
    return "postgresql"


@pytest.fixture
async def sessions(database_url):
    """Sessions of two replicas, whose transactions a test ends by leaving their contexts."""
    replicas = Database(database_url), Database(database_url)
    yield [replica.transaction for replica in replicas]
    for replica in replicas:
        await replica.close()


@pytest.fixture
def stores(desk):
    """The same kind of store on each of several sessions."""
    return lambda kind, *sessions: [kind(session, desk.parts.vault) for session in sessions]


@pytest.fixture
def begin_waiting(desk):
    """Start a statement on a session, and return it once it waits for a lock; fail if it ends without."""

    async def begin_waiting(session, statement):
        backend = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        task = asyncio.create_task(statement)
        async with asyncio.timeout(60):
            while not await desk.select(
                "SELECT 1 FROM pg_stat_activity WHERE pid = :pid AND wait_event_type = 'Lock'", pid=backend
            ):
                assert not task.done(), f"did not wait: {task.result()}"
                await asyncio.sleep(0.01)
        return task

    return begin_waiting


@pytest.fixture
async def request_id(desk):
    await desk.submit()
    [(request_id,)] = await desk.select("SELECT id FROM request")
    return request_id


async def test_a_file_is_claimed_by_one_of_two_requests(desk, sessions, stores, begin_waiting, request_id, zahra):  # noqa: PLR0917 - all of them fixtures
    file_id, (begin_first, begin_second) = await desk.attachment(), sessions

    async with begin_second() as second:
        async with begin_first() as first:
            claiming, waiting = stores(AttachmentStore, first, second)
            assert len(await claiming.unclaimed([file_id], zahra["sub"])) == 1
            found = await begin_waiting(second, waiting.unclaimed([file_id], zahra["sub"]))
            await claiming.claim([file_id], UUID(request_id))
        assert await found == []


async def test_a_file_is_promised_to_one_of_two_replies(desk, sessions, stores, begin_waiting, request_id):
    file_id, (begin_first, begin_second) = await desk.attachment(), sessions
    await desk.change("UPDATE attachment SET reply_request_id = :request", request=request_id)

    async with begin_second() as second:
        async with begin_first() as first:
            promising, waiting = stores(ReplyAttachmentStore, first, second)
            assert len(await promising.available(request_id, "a" * 64, [file_id])) == 1
            found = await begin_waiting(second, waiting.available(request_id, "b" * 64, [file_id]))
            await promising.promise([file_id], "a" * 64)
        assert await found == []


async def test_uploads_of_one_session_are_counted_one_after_the_other(sessions, stores, begin_waiting):
    begin_first, begin_second = sessions

    async with begin_second() as second:
        async with begin_first() as first:
            counting, waiting = stores(AttachmentStore, first, second)
            await counting.lock_uploads(SESSION)
            locked = await begin_waiting(second, waiting.lock_uploads(SESSION))
        await locked


async def test_uploads_of_another_session_do_not_wait(sessions, stores):
    begin_first, begin_second = sessions

    async with begin_first() as first, begin_second() as second:
        one, other = stores(AttachmentStore, first, second)
        await one.lock_uploads(SESSION)
        await other.lock_uploads(OTHER_SESSION)


@pytest.fixture
async def due_checks(desk):
    """Three identities that are due to be looked up."""
    for _ in range(3):
        answer = await desk.submit(applicant=TYPED, token=desk.token(PENDING))
        assert answer.status_code == 201, answer.text
    await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00+00'")


@pytest.mark.usefixtures("due_checks")
async def test_replicas_claim_different_checks_without_waiting(sessions, stores):
    begin_first, begin_second = sessions

    async with begin_first() as first, begin_second() as second:
        one, other = [await store.claim() for store in stores(IdentityCheckStore, first, second)]

    assert one.request.id != other.request.id


async def test_replicas_remove_different_files_without_waiting(desk, sessions, stores):
    begin_first, begin_second = sessions
    files = {await desk.attachment() for _ in range(4)}
    await desk.change("UPDATE attachment SET uploaded_at = '2026-01-01 00:00:00+00'")
    before = datetime.now(UTC) - timedelta(days=1)

    async with begin_first() as first, begin_second() as second:
        one, other = [
            set(await store.unclaimed_before(before, before, 2)) for store in stores(AttachmentStore, first, second)
        ]

    assert (len(one), len(other), one | other) == (2, 2, files)
