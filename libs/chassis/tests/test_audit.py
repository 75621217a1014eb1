"""The audit log on both databases: chained after the request, and every change of it is found."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete, func, insert, select, update
from structlog.testing import capture_logs

from desk.chassis.audit import AuditLog, AuditTask, ChainPruning, chain_of, record_pruned
from desk.chassis.crypto import Vault
from desk.chassis.rate_limits import RateLimits
from desk.database import Chain, ChainBrokenError, Database, add_audit_tables, audit_head, new_metadata, operation
from desk.database.audit import audit_entry
from desk.database.operation import StoredData

VAULT = Vault({"k1": b"1" * 32}, b"i" * 32)
ROTATED = Vault({"k1": b"1" * 32}, b"j" * 32, b"i" * 32)
CODE = "123456789018"
BEGINNING = {"seq": 0, "row_hash": "0" * 64, "seal": ""}


async def opened(url):
    """Open a database with an empty audit log, as the migration leaves it."""
    metadata = new_metadata()
    add_audit_tables(metadata)
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(insert(audit_head).values(id=1, **BEGINNING))
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'audit.db'}"
    else:
        url = request.getfixturevalue("postgres_server").create_database("audit", "audit", "maker")
    database = await opened(url)
    yield database
    await database.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres_server").drop_database("audit")


@pytest.fixture
def log(database):
    return AuditLog(database, VAULT, RateLimits("memory://"))


@pytest.fixture
def task(database):
    return AuditTask(database, VAULT, CollectorRegistry())


@pytest.fixture
async def ten(database, log, task):
    """Ten chained entries."""
    await read_requests(database, log, 10)
    await task.run_once()


async def read_requests(database, log, count):
    for number in range(count):
        async with database.transaction() as session:
            await log.add(session, "applicant", "request_read", subject=CODE, source=f"192.0.2.{number}")


async def write(database, statement):
    async with database.transaction() as session:
        await session.execute(statement)


async def verify(database, vault=VAULT):
    return (await chain_of(vault).verify(database)).seq


async def test_entries_are_chained_in_the_background(database, log, task):
    await read_requests(database, log, 3)
    assert await verify(database) == 0

    await task.run_once()

    assert await verify(database) == 3


async def test_an_entry_has_the_network_as_a_keyed_hash(database, log):
    await read_requests(database, log, 1)

    async with database.read() as session:
        row = (await session.execute(select(audit_entry))).one()
    assert (row.actor, row.action, row.subject) == ("applicant", "request_read", CODE)
    assert "192.0.2" not in str(tuple(row))
    assert len(row.network) == 64


async def test_two_replicas_chain_each_entry_once(database, log, task):
    other = AuditTask(database, VAULT, CollectorRegistry())
    for _ in range(3):
        await read_requests(database, log, 5)
        await asyncio.gather(task.run_once(), other.run_once())
    await task.run_once()

    assert await verify(database) == 15


@pytest.mark.parametrize("column", ["actor", "action", "subject", "network", "about", "at"])
async def test_a_changed_entry_is_named(database, ten, column):
    values = {"at": func.datetime("now", "-1 day")} if column == "at" else {column: "x"}
    if column == "at" and database.engine.name == "postgresql":
        values = {"at": func.now() - func.make_interval(0, 0, 0, 1)}
    await write(database, update(audit_entry).where(audit_entry.c.seq == 4).values(values))

    with pytest.raises(ChainBrokenError, match="row 4 was changed"):
        await verify(database)


async def test_a_removed_entry_is_named(database, ten):
    await write(database, delete(audit_entry).where(audit_entry.c.seq == 4))

    with pytest.raises(ChainBrokenError, match="row 4 is missing"):
        await verify(database)


async def test_two_exchanged_entries_are_named(database, ten):
    for old, new in ((4, 99), (5, 4), (99, 5)):
        await write(database, update(audit_entry).where(audit_entry.c.seq == old).values(seq=new))

    with pytest.raises(ChainBrokenError, match="row 4 does not follow row 3"):
        await verify(database)


async def test_a_tail_that_was_cut_off_is_noticed(database, ten):
    await write(database, delete(audit_entry).where(audit_entry.c.seq > 7))

    with pytest.raises(ChainBrokenError, match="the chain ends at row 7, but row 10 was the last one written"):
        await verify(database)


async def test_the_end_cannot_be_moved_without_the_key(database, ten, task, log):
    await write(database, delete(audit_entry).where(audit_entry.c.seq > 7))
    async with database.read() as session:
        last = (await session.execute(select(audit_entry.c.row_hash).where(audit_entry.c.seq == 7))).scalar_one()
    await write(database, update(audit_head).values(seq=7, row_hash=last))

    with pytest.raises(ChainBrokenError, match="the head was changed"):
        await verify(database)
    await read_requests(database, log, 1)
    await task.run_once()
    async with database.read() as session:  # nothing is appended to a chain with a forged end
        assert (await session.execute(select(func.max(audit_entry.c.seq)))).scalar_one() == 7


async def test_a_missing_end_is_noticed(database, ten):
    await write(database, delete(audit_head))

    with pytest.raises(ChainBrokenError, match="the head is missing"):
        await verify(database)


async def test_a_log_that_was_emptied_with_its_end_is_noticed_by_command_and_service(database, ten, task, log):
    await write(database, delete(audit_entry))
    await write(database, delete(audit_head))

    with pytest.raises(ChainBrokenError, match="the head is missing"):
        await verify(database)
    await read_requests(database, log, 1)
    with capture_logs() as logs:
        await task.run_once()
    assert "the head is missing" in logs[0]["reason"]
    async with database.read() as session:  # and nothing begins the log again
        assert (await session.execute(select(func.max(audit_entry.c.seq)))).scalar_one() is None


async def test_a_log_that_was_set_back_to_its_beginning_is_noticed_by_the_running_service(database, ten, log):
    registry = CollectorRegistry()
    task = AuditTask(database, VAULT, registry)
    for _ in range(2):
        await read_requests(database, log, 1)
        await task.run_once()
    assert registry.get_sample_value("desk_audit_broken") == 0

    await write(database, delete(audit_entry))
    await write(database, update(audit_head).values(BEGINNING))
    await read_requests(database, log, 1)
    await task.run_once()

    assert registry.get_sample_value("desk_audit_broken") == 1
    assert registry.get_sample_value("desk_audit_entries") == 12


async def test_an_inserted_entry_is_noticed(database, ten):
    values = {"id": "x", "at": func.current_timestamp(), "actor": "a", "action": "b", "seq": 11}
    await write(database, insert(audit_entry).values(**values, prev_hash="0" * 64, row_hash="0" * 64))

    with pytest.raises(ChainBrokenError, match="row 11"):
        await verify(database)


async def test_the_chain_goes_on_after_the_index_key_was_changed(database, ten, log):
    await read_requests(database, log, 1)
    await AuditTask(database, ROTATED, CollectorRegistry()).run_once()

    assert await verify(database, ROTATED) == 11
    assert await verify(database, Vault({"k1": b"1" * 32}, b"j" * 32)) == 11


@pytest.fixture
def pruning(database):
    """The task that deletes entries after 30 days."""
    return ChainPruning(database, chain_of(VAULT), 30, record_pruned)


@pytest.fixture
async def six_old(database, log, task):
    """Six entries that are 31 days old, and four of today."""
    await read_requests(database, log, 6)
    await write(database, update(audit_entry).values(at=datetime.now(UTC) - timedelta(days=31)))
    await read_requests(database, log, 4)
    await task.run_once()


async def numbers(database):
    async with database.read() as session:
        query = select(audit_entry.c.seq, audit_entry.c.action).order_by(audit_entry.c.seq)
        return [(row.seq, row.action) for row in (await session.execute(query)).all()]


async def test_entries_are_deleted_after_their_term_and_the_chain_stays_verifiable(database, six_old, pruning, task):
    while await pruning.run_once() == 0:
        pass
    await task.run_once()

    read = [(number, "request_read") for number in (7, 8, 9, 10)]
    assert await numbers(database) == [*read, (11, "audit_pruned")]
    async with database.read() as session:
        (entry,) = (await session.execute(select(audit_entry).where(audit_entry.c.seq == 11))).all()
    assert (entry.actor, entry.about) == ("retention", "entries 1 to 6")
    assert await verify(database) == 11


async def test_all_entries_may_be_deleted(database, ten):
    beyond = datetime.now(UTC) + timedelta(days=1)
    assert (await chain_of(VAULT).prune(database, beyond)).seq == 10
    assert await numbers(database) == []
    assert await verify(database) == 10
    assert await chain_of(VAULT).prune(database, beyond) is None


async def test_pruning_goes_on_from_where_it_ended_by_several_replicas(database, six_old, log, pruning, task):
    other = ChainPruning(database, chain_of(VAULT), 30, record_pruned)
    await asyncio.gather(pruning.run_once(), other.run_once())
    await pruning.run_once()
    await write(
        database,
        update(audit_entry).where(audit_entry.c.seq.is_(None)).values(at=datetime.now(UTC) - timedelta(days=31)),
    )
    await task.run_once()
    assert await pruning.run_once() is None  # entries of today come before that one

    assert [number for number, _ in await numbers(database)] == [7, 8, 9, 10, 11]
    assert await verify(database) == 11


@pytest.mark.parametrize("hidden", [2, 9])
async def test_what_was_changed_is_not_pruned_away(database, six_old, pruning, hidden):
    await write(database, update(audit_entry).where(audit_entry.c.seq == hidden).values(actor="x"))

    with capture_logs() as logs:
        await pruning.run_once()

    with pytest.raises(ChainBrokenError, match=f"row {hidden} was changed"):
        await verify(database)
    assert (logs[0]["log_level"] == "error") is (hidden == 2)


async def test_the_start_cannot_be_moved_without_the_key(database, six_old, pruning):
    await pruning.run_once()
    async with database.read() as session:
        row_hash = (await session.execute(select(audit_entry.c.row_hash).where(audit_entry.c.seq == 8))).scalar_one()
        end = (await session.execute(select(audit_head).where(audit_head.c.id == 1))).one()
    moved = update(audit_head).where(audit_head.c.id == 2)
    await write(database, delete(audit_entry).where(audit_entry.c.seq <= 8))

    with pytest.raises(ChainBrokenError, match="row 7 is missing"):
        await verify(database)
    await write(database, moved.values(seq=8, row_hash=row_hash))
    with pytest.raises(ChainBrokenError, match="the start was changed"):
        await verify(database)
    await write(database, moved.values(seq=end.seq, row_hash=end.row_hash, seal=end.seal))  # the seal of the end
    with pytest.raises(ChainBrokenError, match="the start was changed"):
        await verify(database)
    await write(database, delete(audit_head).where(audit_head.c.id == 2))
    with pytest.raises(ChainBrokenError, match="row 1 is missing"):
        await verify(database)


async def test_the_start_is_sealed_again_with_the_current_index_key(database, six_old, pruning):
    await pruning.run_once()
    await ChainPruning(database, chain_of(ROTATED), 30, record_pruned).run_once()

    new = Vault({"k1": b"1" * 32}, b"j" * 32)
    async with database.read() as session:
        assert (await chain_of(new).read_start(session)).seq == 6


async def test_entries_that_are_pruned_during_a_verification_are_no_error(database, six_old, pruning, monkeypatch):
    chain, checked = chain_of(VAULT), Chain.read_start

    async def prune_after(self, session):
        start = await checked(self, session)
        if not start.seq:
            monkeypatch.undo()
            await pruning.run_once()
        return start

    if database.engine.name == "postgresql":  # a reader of SQLite sees one state only
        monkeypatch.setattr(Chain, "read_start", prune_after)
    assert (await chain.verify(database)).seq == 10


async def test_refusals_of_one_network_do_not_fill_the_log(database, log):
    for _ in range(30):
        await log.add_refusal("assertion_refused", source="192.0.2.1", about="assertion_invalid")
    await log.add_refusal("assertion_refused", source="198.51.100.1", about="assertion_invalid")

    async with database.read() as session:
        assert (await session.execute(select(func.count()).select_from(audit_entry))).scalar_one() == 21


@pytest.fixture
def operated(monkeypatch, tmp_path):
    """The environment of one service with ten entries, for the operators' commands, which run a loop of their own."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'operated.db'}"

    async def prepare():
        database = await opened(url)
        await read_requests(database, AuditLog(database, VAULT, RateLimits("memory://")), 10)
        await AuditTask(database, VAULT, CollectorRegistry()).run_once()
        await database.close()

    def service(name):
        return SimpleNamespace(name=name, load=lambda: lambda: StoredData(Database(url), None, chain_of(VAULT)))

    def configure(*names):
        monkeypatch.setattr(operation, "configured_services", lambda: map(service, names))

    asyncio.run(prepare())
    configure("tracking")
    return configure


def test_a_log_with_as_many_entries_as_were_seen_is_in_order(operated, capsys):
    operation.audit(["verify", "--at-least", "10"])

    assert "tracking: 10 entries" in capsys.readouterr().out


def test_a_log_with_fewer_entries_than_were_seen_is_broken(operated, capsys):
    with pytest.raises(SystemExit) as ended:
        operation.audit(["verify", "--at-least", "11"])

    assert ended.value.code == 1
    assert "it ends at 10, but entry 11 existed" in capsys.readouterr().err


def test_the_command_says_up_to_where_a_log_was_pruned(operated, capsys, tmp_path):
    async def prune():
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'operated.db'}")
        await chain_of(VAULT).prune(database, datetime.now(UTC) + timedelta(days=1), record_pruned)
        await AuditTask(database, VAULT, CollectorRegistry()).run_once()
        await database.close()

    asyncio.run(prune())
    operation.audit(["verify", "--at-least", "11"])

    assert "tracking: 1 entries, none changed, missing or moved; up to number 10 they were" in capsys.readouterr().out


def test_a_number_for_several_services_is_refused(operated):
    operated("intake", "tracking")

    with pytest.raises(SystemExit, match="--at-least is the number of one service"):
        operation.audit(["verify", "--at-least", "10"])
