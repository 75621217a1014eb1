"""The migrations create the tables of the code, on both databases."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from desk.console.store.tables import account, case, entry, metadata
from desk.database import Database, alembic_config, migrate

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'console.sqlite3'}"
    server = request.getfixturevalue("postgres_server")
    return server.create_database(f"console_{uuid.uuid4().hex[:8]}", "console", "console's own long word")


@pytest.fixture
async def database(url):
    database = Database(url)
    yield database
    await database.close()


async def test_the_migrations_create_the_tables_of_the_code(url, database):
    await migrate("desk.console", url)
    async with database.engine.begin() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await connection.run_sync(lambda sync: command.check(alembic_config("desk.console", url, sync)))
    assert set(names) == {*metadata.tables, "alembic_version"}


async def test_open_objections_from_before_are_marked_with_who_answered(url, database):
    await asyncio.to_thread(command.upgrade, alembic_config("desk.console", url), "0001")
    old = {"province": "isfahan", "stage": "open", "rank": 1, "seq": 5, "request_seq": 1, "answer_days": 7}
    old |= {"sub_subject": "umrah_visa", "report_seq": 2, "refused": False}
    entries = [
        ("case-answered", "first", "2026-11-22T09:00:00"),
        ("request-objected", None, "2026-11-22T10:00:00"),
        ("case-info-requested", "second", "2026-11-22T11:00:00"),
    ]
    async with database.transaction() as session:
        for code, state in (("123456789018", "objected"), ("210987654321", "in_progress"), ("111111111111", "new")):
            columns = old | {"tracking_code": code, "state": state}
            names = ", ".join(columns)
            values = ", ".join(f":{name}" for name in columns)
            await session.execute(text(f'INSERT INTO "case" ({names}) VALUES ({values})'), columns)  # noqa: S608
        for code in ("123456789018", "210987654321"):
            for kind, who, at in entries:
                moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
                await session.execute(
                    entry.insert().values(
                        id=f"{code}/{kind}",
                        province="isfahan",
                        tracking_code=code,
                        at=moment,
                        recorded_at=moment,
                        kind=kind,
                        account=who,
                    )
                )
    await migrate("desk.console", url)
    async with database.read() as session:
        rows = await session.execute(select(case.c.tracking_code, case.c.objection, case.c.answerer, case.c.rank))
        assert {tuple(row) for row in rows} == {
            ("123456789018", True, "first", 0),
            ("210987654321", True, "first", 0),
            ("111111111111", False, None, 1),
        }


async def test_a_second_migration_keeps_the_rows(url, database):
    await migrate("desk.console", url)
    columns = {"province": "isfahan", "username": "expert", "name": "کسی", "role": "expert", "active": True}
    columns |= {"password_hash": "-", "new_password": False, "enrolled": False, "last_totp": 0}
    async with database.transaction() as session:
        await session.execute(account.insert().values(id="a-1", created_at=NOW, **columns))
    await migrate("desk.console", url)
    async with database.read() as session:
        assert (await session.execute(select(account.c.id))).scalars().all() == ["a-1"]
