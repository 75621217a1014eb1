"""One request is one transaction, committed before the response; no connection is lost."""

import asyncio
import gc
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from alembic import command
from sqlalchemy import Column, Table, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from desk.chassis.app import base_app
from desk.chassis.app.database_errors import render_database_errors
from desk.chassis.app.dependencies import Session
from desk.chassis.problem import DomainError
from desk.database import (
    Database,
    UtcDateTime,
    alembic_config,
    migrate,
    migrations_of,
    notify_after_commit,
)

MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("thing", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id"))
"""
ENVIRONMENT = """
import sqlalchemy as sa
from desk.database import new_metadata, run_migrations

metadata = new_metadata()
sa.Table("thing", metadata, sa.Column("id", sa.Integer, primary_key=True))
run_migrations(metadata)
"""


@pytest.fixture
def app(store, telemetry):
    app = base_app("maker", "Maker", telemetry)
    render_database_errors(app)
    app.state.services = store
    app.state.reached = asyncio.Event()

    @app.post("/effects/{label}")
    async def add(label: str, session: Session) -> dict[str, str]:
        await store.add_effect(session, label)
        return {"label": label}

    @app.post("/promises/{label}")
    async def promise(label: str, session: Session) -> dict[str, str]:
        await store.add_promise(session, label)
        return {"label": label}

    @app.post("/refusals/{label}")
    async def refuse(label: str, session: Session) -> None:
        await store.add_effect(session, label)
        raise DomainError

    @app.post("/slow/{label}")
    async def be_slow(label: str, session: Session) -> None:
        await store.add_effect(session, label)
        app.state.reached.set()
        await asyncio.Event().wait()

    return app


@pytest.fixture
def client(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://maker")


async def test_a_request_is_committed_with_its_answer(client, store):
    answer = await client.post("/effects/first")
    assert (answer.status_code, await store.labels()) == (200, ["first"])


async def test_a_commit_that_fails_answers_an_error_and_no_success(client, logged):
    answer = await client.post("/promises/never-kept")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


async def test_a_refused_request_leaves_nothing(client, store):
    answer = await client.post("/refusals/first")
    assert (answer.status_code, await store.labels()) == (422, [])


async def test_requests_at_the_same_time_wait_for_one_another(client, store):
    answers = await asyncio.gather(*(client.post(f"/effects/{number}") for number in range(30)))
    assert [answer.status_code for answer in answers] == [200] * 30
    assert len(await store.labels()) == 30


async def test_a_connection_that_the_server_closed_while_idle_is_replaced(client, store, until):
    if store.dialect == "sqlite":
        pytest.skip("SQLite has no server")
    assert (await client.post("/effects/before")).status_code == 200
    connection = await store.database.engine.raw_connection()
    driver = connection.driver_connection
    pid = driver.get_server_pid()
    connection.close()
    killer = Database(store.url)
    async with killer.transaction() as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    await killer.close()

    async def driver_has_noticed():
        return driver.is_closed()

    await until(driver_has_noticed)
    assert (await client.post("/effects/after")).status_code == 200


@pytest.fixture
def all_given_back(store, until):
    """Return once no connection is checked out; one whose return was aborted comes back a moment later."""

    async def none_is_out():
        return store.database.engine.pool.checkedout() == 0

    async def all_given_back():
        await until(none_is_out)

    return all_given_back


async def _abort(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_200_aborted_requests_leave_no_connection_checked_out(client, app, all_given_back):
    for _ in range(20):
        app.state.reached.clear()
        tasks = [asyncio.create_task(client.post(f"/slow/{number}")) for number in range(10)]
        await asyncio.wait_for(app.state.reached.wait(), 60)
        await _abort(tasks)
    await all_given_back()


async def test_requests_aborted_at_any_moment_leave_no_connection_checked_out(client, all_given_back):
    for turns in range(60):
        task = asyncio.create_task(client.post("/slow/first"))
        for _ in range(turns):
            await asyncio.sleep(0)
        await _abort([task])
    await all_given_back()


async def test_requests_aborted_twice_leave_no_connection_checked_out(client, app, all_given_back):
    for turns in range(30):
        app.state.reached.clear()
        task = asyncio.create_task(client.post("/slow/first"))
        await asyncio.wait_for(app.state.reached.wait(), 60)
        task.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        await _abort([task])
    await all_given_back()


async def test_an_aborted_request_leaves_nothing_and_holds_no_lock(client, app, store):
    task = asyncio.create_task(client.post("/slow/aborted"))
    await asyncio.wait_for(app.state.reached.wait(), 60)
    await _abort([task])
    answer = await asyncio.wait_for(client.post("/effects/next"), 5)
    assert (answer.status_code, await store.labels()) == (200, ["next"])


@pytest.fixture
def hints(store):
    hints = []
    store.database.after_commit.append(lambda: hints.append("hint"))
    return hints


async def test_a_requested_notification_comes_after_the_commit(store, hints):
    async with store.database.transaction() as session:
        notify_after_commit(session)
        assert hints == []
    assert hints == ["hint"]


async def test_a_commit_without_a_request_notifies_nothing(store, hints):
    async with store.database.transaction() as session:
        await store.add_effect(session, "first")
    assert hints == []


async def test_a_failed_commit_notifies_nothing(store, hints):
    async def commit():
        async with store.database.transaction() as session:
            await store.add_promise(session, "never kept")
            notify_after_commit(session)

    with pytest.raises(IntegrityError):
        await commit()
    assert hints == []


async def test_an_error_of_the_store_shows_no_parameters(store):
    async def add_twice():
        async with store.database.transaction() as session:
            await store.add_effect(session, "0013542419")
            await store.add_effect(session, "0013542419")

    with pytest.raises(IntegrityError) as caught:
        await add_twice()
    assert "0013542419" not in str(caught.value)


@pytest.fixture
async def moments(store):
    """A table of moments: write one, and read it back."""
    table = Table("moment", store.metadata, Column("at", UtcDateTime))
    await store.open()

    async def keep(at):
        async with store.database.transaction() as session:
            await session.execute(insert(table).values(at=at))
            return (await session.execute(select(table.c.at))).scalar_one()

    return keep


async def test_a_moment_comes_back_in_utc(moments):
    tehran = timezone(timedelta(hours=3, minutes=30))
    kept = await moments(datetime(2026, 12, 13, 14, 30, tzinfo=tehran))
    assert kept.isoformat() == "2026-12-13T11:00:00+00:00"


async def test_a_moment_keeps_its_microseconds(moments):
    at = datetime(2026, 12, 13, 11, 0, 0, 123456, tzinfo=UTC)
    assert await moments(at) == at


async def test_no_moment_stays_none(moments):
    assert await moments(None) is None


async def test_a_naive_moment_is_refused(moments):
    with pytest.raises(StatementError, match="without a time zone"):
        await moments(datetime(2026, 12, 13, 11, 0))  # noqa: DTZ001 - that is the point


async def test_a_successful_ping_returns_nothing(store):
    assert await store.database.ping() is None


async def test_a_ping_of_an_unavailable_database_raises(tmp_path, quiet):
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(Exception, match="unable to open"):
        await database.ping()
    await database.close()


async def test_references_are_checked(store):
    async def promise_nothing():
        async with store.database.transaction() as session:
            await store.add_promise(session, "no such effect")

    with pytest.raises(IntegrityError):
        await promise_nothing()


@pytest.mark.parametrize("layout", ["inside the package", "next to src"])
def test_migrations_are_found(package, layout):
    home = package("plain", inside=layout == "inside the package")
    assert (migrations_of("made_up") / "env.py").read_text() == ENVIRONMENT
    assert home in migrations_of("made_up").parents


def test_a_package_without_migrations_is_named(package):
    package("none", inside=None)
    with pytest.raises(FileNotFoundError, match="made_up"):
        migrations_of("made_up")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Lay out a package ``made_up`` with one migration, as in a checkout or as installed."""

    def lay_out(folder, *, inside):
        home = tmp_path / folder / "src" / "desk" / "made_up"
        home.mkdir(parents=True)
        (home / "__init__.py").touch()
        migrations = home / "migrations" if inside else tmp_path / folder / "migrations"
        if inside is not None:
            (migrations / "versions").mkdir(parents=True)
            (migrations / "env.py").write_text(ENVIRONMENT)
            (migrations / "versions" / "0001.py").write_text(MIGRATION)
        monkeypatch.syspath_prepend(home.parent)
        monkeypatch.delitem(sys.modules, "made_up", raising=False)
        return tmp_path / folder

    yield lay_out
    sys.modules.pop("made_up", None)


@pytest.mark.parametrize("folder", ["plain", "a folder", "100%", "%(here)s", "پوشه"])
async def test_a_database_is_migrated_from_any_folder(package, tmp_path, folder):
    package(folder, inside=True)
    url = f"sqlite+aiosqlite:///{tmp_path / 'maker.db'}"
    await migrate("made_up", url)
    database = Database(url)
    async with database.transaction() as session:
        await session.execute(text("INSERT INTO thing (id) VALUES (1)"))
    await database.close()


async def test_migrating_again_changes_nothing(package, tmp_path):
    package("plain", inside=True)
    url = f"sqlite+aiosqlite:///{tmp_path / 'maker.db'}"
    await migrate("made_up", url)
    await migrate("made_up", url)


def test_alembic_itself_finds_the_schema_complete(package, tmp_path):
    package("plain", inside=True)
    config = alembic_config("made_up", f"sqlite+aiosqlite:///{tmp_path / 'maker.db'}")
    command.upgrade(config, "head")
    command.check(config)


async def test_a_cancelled_caller_keeps_no_lock(tmp_path):
    path = tmp_path / "broken-off.sqlite3"
    database = Database(f"sqlite+aiosqlite:///{path}")
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)"))
    adding = text("INSERT INTO thing (name) VALUES ('a'), ('b'), ('c') RETURNING id")
    looking = text("SELECT id FROM thing")

    async def add_and_look():
        async with database.transaction() as session:
            (await session.execute(adding)).all()
            (await session.execute(looking)).all()

    broken_off = []  # they keep what they had in hand when they were broken off
    gc.disable()
    try:
        for turn in range(60):
            tasks = [asyncio.create_task(add_and_look()) for _ in range(6)]
            broken_off += tasks
            for number, task in enumerate(tasks):  # each time elsewhere
                asyncio.get_running_loop().call_later((turn + number * 60) / 18_000, task.cancel)
            await asyncio.wait(tasks)
            await asyncio.to_thread(lock_once, path)
    finally:
        gc.enable()
    await database.close()


def lock_once(path):
    """Take the lock in another connection. Raises OperationalError if it is never released."""
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
