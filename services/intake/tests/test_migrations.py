"""The migrations on both databases: they create the tables of the store, keep data, and can be undone."""

import asyncio
import json
import uuid
from operator import itemgetter

import pytest
from alembic import command
from sqlalchemy import inspect, text

from desk.database import Database, alembic_config
from desk.intake.store import metadata

REQUEST, TOKEN = "2b0e8c0a-6f36-4b31-8a39-6d2b6e3e8c11", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
AT = "2026-11-22 09:30:00.000000"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """An empty database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'intake.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"migrations_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name, name, "maker")
    server.drop_database(name)


@pytest.fixture
def config(empty_url):
    return alembic_config("desk.intake", empty_url)


@pytest.fixture
def run(empty_url):
    """Run a synchronous function on a connection, in a transaction."""

    async def connect(work):
        database = Database(empty_url)
        async with database.engine.begin() as connection:
            result = await connection.run_sync(work)
        await database.close()
        return result

    return lambda work: asyncio.run(connect(work))


@pytest.fixture
def schema(run):
    """Describe every table: columns, keys and indexes."""

    def describe(connection):
        found = inspect(connection)
        return {
            table: json.dumps(
                [
                    sorted(found.get_columns(table), key=itemgetter("name")),
                    found.get_pk_constraint(table),
                    sorted(found.get_foreign_keys(table), key=itemgetter("name")),
                    sorted(found.get_unique_constraints(table), key=itemgetter("name")),
                    sorted(found.get_indexes(table), key=itemgetter("name")),
                ],
                default=str,
            )
            for table in found.get_table_names()
        }

    return lambda: run(describe)


def test_the_migrations_create_exactly_the_tables_of_the_store(config):
    command.upgrade(config, "head")

    command.check(config)


def test_migrating_again_changes_nothing(config, schema):
    command.upgrade(config, "head")
    before = schema()
    assert before.keys() == {*metadata.tables, "alembic_version"}

    command.upgrade(config, "head")

    assert schema() == before


@pytest.mark.parametrize("revision", ["0004", "base"])
def test_the_migrations_can_be_undone_and_applied_again(config, schema, revision):
    command.upgrade(config, "head")
    before = schema()

    command.downgrade(config, revision)
    assert schema() != before
    command.upgrade(config, "head")

    assert schema() == before


def test_the_indexes_of_attachments_stay_partial(config, schema):
    command.upgrade(config, "head")

    attachment = schema()["attachment"]
    assert "request_id IS NULL" in attachment
    assert "promised_at IS NOT NULL" in attachment


@pytest.fixture
def insert(run):
    """Insert an attachment as one version of intake does."""

    def insert(file_id, **columns):
        values = {
            "id": file_id,
            "owner_index": "x",
            "media_type": "x",
            "sha256": "x",
            "name": b"x",
            "size": 1,
        } | columns
        names = ", ".join([*values, "uploaded_at"])
        places = ", ".join([*(f":{name}" for name in values), f"'{AT}'"])
        statement = text(f"INSERT INTO attachment ({names}) VALUES ({places})")  # noqa: S608 - our own columns
        run(lambda connection: connection.execute(statement, values))

    return insert


@pytest.fixture
def submitted_before(config, run):
    """A request in the schema of the version before."""
    command.upgrade(config, "0004")
    run(
        lambda connection: connection.execute(
            text(
                "INSERT INTO request (id, tracking_code, owner_index, idempotency_index, fingerprint, province,"  # noqa: S608 - our own values
                " subject, sub_subject, submitted_at, due_at, personal)"
                f" VALUES (:id, '1', '1', '1', '1', '1', '1', '1', '{AT}', '{AT}', :personal)"
            ),
            {"id": REQUEST, "personal": b"x"},
        )
    )


@pytest.fixture
def owners(run):
    """Return the three columns that say what a file was uploaded for."""
    query = text("SELECT visit, upload_session, reply_request_id FROM attachment ORDER BY id")
    return lambda: [tuple(row) for row in run(lambda connection: connection.execute(query).all())]


@pytest.mark.usefixtures("submitted_before")
def test_files_of_upload_sessions_and_of_replies_get_columns_of_their_own(config, run, insert, owners):
    insert("1", visit=TOKEN)
    insert("2", visit=REQUEST)

    command.upgrade(config, "head")
    assert owners() == [(TOKEN, TOKEN, None), (REQUEST, None, REQUEST)]

    command.downgrade(config, "0004")
    query = text("SELECT visit FROM attachment ORDER BY id")
    assert [tuple(row) for row in run(lambda connection: connection.execute(query).all())] == [(TOKEN,), (REQUEST,)]


@pytest.mark.usefixtures("submitted_before")
def test_undoing_the_columns_keeps_files_uploaded_since(config, run, insert):
    command.upgrade(config, "head")
    insert("1", upload_session=TOKEN)
    insert("2", reply_request_id=REQUEST)

    command.downgrade(config, "0004")

    query = text("SELECT visit FROM attachment ORDER BY id")
    assert [tuple(row) for row in run(lambda connection: connection.execute(query).all())] == [(TOKEN,), (REQUEST,)]


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("submitted_before")
def test_replicas_of_both_versions_see_each_other_s_files(config, insert, owners):
    command.upgrade(config, "head")

    insert("1", visit=TOKEN)
    insert("2", visit=REQUEST)
    insert("3", upload_session=TOKEN)
    insert("4", reply_request_id=REQUEST)

    assert owners() == [(TOKEN, TOKEN, None), (REQUEST, None, REQUEST)] * 2


def test_unsent_events_of_an_earlier_version_stop_the_migration(config, run):
    command.upgrade(config, "0008")
    insert = text(
        "INSERT INTO outbox (id, exchange, routing_key, type, body, created_at, next_try_at, tries) "
        "VALUES ('e-1', 'desk.events', 'request-submitted.qom', 'a', 'x', '2026-11-22 09:30', '2026-11-22 09:30', 0)"
    )
    run(lambda connection: connection.execute(insert))

    with pytest.raises(RuntimeError, match="1 unsent events of the earlier version"):
        command.upgrade(config, "head")

    run(lambda connection: connection.execute(text("UPDATE outbox SET sent_at = created_at")))
    command.upgrade(config, "head")
    assert run(lambda connection: connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()) == 0
