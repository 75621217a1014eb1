"""Every change of the ledger in the database is found, and concurrent writers make one chain."""

import asyncio
import secrets
import sqlite3
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import text

from desk.chassis.app import HousekeepingTask
from desk.chassis.audit import ChainPruning
from desk.chassis.crypto import Vault, new_secret
from desk.chassis.telemetry import Telemetry
from desk.database import ChainBrokenError, Database, alembic_config, migrate, operation
from desk.registry_gateway.domain import Lookup, Outcome, Purpose
from desk.registry_gateway.service import Ledger, ledger_chain

PACKAGE = "desk.registry_gateway"
VAULT = Vault.from_text(f"k1:{new_secret()}", new_secret())


def made(place=0, days=0):
    return Lookup(
        datetime.now(UTC) - timedelta(days=days), Purpose.SUBMIT, f"number {place}", "source", Outcome.MATCHED
    )


@pytest.fixture
def database(ledger_database):
    return ledger_database


@pytest.fixture
async def ledger(database):
    ledger = Ledger(database, VAULT)
    await ledger.open()
    for place in range(5):
        await ledger.record(made(place))
    return ledger


@pytest.fixture
def tamper(database):
    async def tamper(*statements):
        async with database.transaction() as session:
            for statement in statements:
                await session.execute(text(statement))

    return tamper


async def test_an_unchanged_ledger_is_valid(ledger):
    assert (await ledger.verify()).seq == 5


async def test_an_empty_ledger_is_valid(database):
    ledger = Ledger(database, VAULT)
    await ledger.open()

    assert (await ledger.verify()).seq == 0


TAMPERED = {
    "a changed outcome": (["UPDATE lookup SET outcome = 'not_matched' WHERE seq = 3"], "row 3 was changed"),
    "a changed purpose": (["UPDATE lookup SET purpose = 'confirm' WHERE seq = 1"], "row 1 was changed"),
    "another number": (["UPDATE lookup SET number_index = 'x' WHERE seq = 5"], "row 5 was changed"),
    "another source": (["UPDATE lookup SET source_index = 'x' WHERE seq = 5"], "row 5 was changed"),
    "another time": (["UPDATE lookup SET at = '2020-01-01 00:00:00.000000' WHERE seq = 2"], "row 2 was changed"),
    "another hash": (["UPDATE lookup SET row_hash = 'x' WHERE seq = 2"], "row 2 was changed"),
    "a row deleted": (["DELETE FROM lookup WHERE seq = 3"], "row 3 is missing"),
    "the first row deleted": (["DELETE FROM lookup WHERE seq = 1"], "row 1 is missing"),
    "the last row deleted": (
        ["DELETE FROM lookup WHERE seq = 5"],
        "the chain ends at row 4, but row 5 was the last",
    ),
    "everything deleted": (["DELETE FROM lookup"], "the chain ends at row 0"),
    "the gap closed up": (
        ["DELETE FROM lookup WHERE seq = 3", "UPDATE lookup SET seq = seq - 1 WHERE seq > 3"],
        "row 3 does not follow row 2",
    ),
    "two rows exchanged": (
        [
            "UPDATE lookup SET seq = 99 WHERE seq = 2",
            "UPDATE lookup SET seq = 2 WHERE seq = 3",
            "UPDATE lookup SET seq = 3 WHERE seq = 99",
        ],
        "row 2 does not follow row 1",
    ),
    "a head put back": (
        [
            "DELETE FROM lookup WHERE seq = 5",
            "UPDATE ledger_head SET seq = 4, row_hash = (SELECT row_hash FROM lookup WHERE seq = 4)",
        ],
        "the head was changed",
    ),
    "a head without its seal": (["UPDATE ledger_head SET seal = ''"], "the head was changed, or never sealed"),
    "no head": (["DELETE FROM ledger_head"], "the head is missing"),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_a_change_in_the_database_is_found(ledger, tamper, how):
    statements, error = TAMPERED[how]
    await tamper(*statements)

    with pytest.raises(ChainBrokenError, match=error):
        await ledger.verify()


async def test_a_rewritten_chain_is_found_by_its_seal(ledger, database, tamper):
    """A person who can write to the database but has no key makes another chain with valid hashes."""
    await tamper("DELETE FROM lookup", "UPDATE ledger_head SET seq = 0, row_hash = '" + "0" * 64 + "', seal = ''")
    forger = Ledger(database, Vault.from_text(f"k1:{new_secret()}", new_secret()))
    await forger.open()
    for place in range(5):
        await forger.record(made(place))
    assert (await forger.verify()).seq == 5

    with pytest.raises(ChainBrokenError, match="the head was changed"):
        await ledger.verify()
    with pytest.raises(ChainBrokenError, match="not ours"):
        await ledger.record(made())


async def test_a_row_is_written_completely_although_its_caller_is_cancelled(ledger):
    for _ in range(20):
        writing = asyncio.create_task(ledger.record(made()))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
    await ledger.record(made())

    assert (await ledger.verify()).seq == 26


async def test_many_writers_on_postgresql_make_one_chain(postgres_server):
    name = f"ledger-{uuid.uuid4().hex[:8]}"
    url = postgres_server.create_database(name, name, secrets.token_urlsafe(12))
    await migrate(PACKAGE, url)
    databases = [Database(url) for _ in range(3)]
    ledgers = [Ledger(database, VAULT) for database in databases]
    for ledger in ledgers:
        await ledger.open()

    await asyncio.gather(*(ledgers[place % 3].record(made(place)) for place in range(90)), ledgers[0].verify())

    assert (await ledgers[0].verify()).seq == 90
    assert len(await ledgers[1].list_newest(["number 7"])) == 1
    for database in databases:
        await database.close()
    postgres_server.drop_database(name)


# the term


async def test_look_ups_beyond_their_term_are_deleted_and_the_chain_goes_on(database):
    ledger = Ledger(database, VAULT)
    await ledger.open()
    for place in range(6):
        await ledger.record(made(place, days=31 if place < 4 else 29))

    pruning = ChainPruning(database, ledger_chain(VAULT), 30)
    while await pruning.run_once() == 0:
        pass
    await ledger.record(made(6))
    await Ledger(database, VAULT).record(made(7))  # of another replica

    assert (await ledger.verify()).seq == 8
    assert await ledger.list_newest(["number 3"]) == []
    assert len(await ledger.list_newest(["number 4"])) == 1


async def test_the_service_deletes_look_ups_beyond_its_term(settings, parts, running, monkeypatch):
    monkeypatch.setattr(HousekeepingTask, "START_SECONDS", 0.0)
    ledger = Ledger(parts.database, parts.vault)
    async with running(settings, parts):
        for place, days in enumerate((settings.ledger_days + 1, settings.ledger_days - 1)):
            await ledger.record(made(place, days))

    async with running(settings, replace(parts, telemetry=Telemetry("registry-gateway"))), asyncio.timeout(60):
        while await ledger.list_newest(["number 0"]):  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.05)
        assert len(await ledger.list_newest(["number 1"])) == 1
        assert (await ledger.verify()).seq == 2


# the command


@pytest.fixture
def environment(settings, monkeypatch):
    for name in ("database_url", "vault_keys", "index_key", "budget_url", "token_private_key", "service_private_key"):
        monkeypatch.setenv(f"DESK_REGISTRY_GATEWAY_{name.upper()}", getattr(settings, name).get_secret_value())
    monkeypatch.setenv("DESK_REGISTRY_GATEWAY_CAPTCHA_URL", "http://captcha:8000")
    monkeypatch.setenv("DESK_REGISTRY_GATEWAY_ADAPTER", "simulator")
    monkeypatch.setenv("DESK_REGISTRY_GATEWAY_SERVICE_PUBLIC_KEYS", "{}")


async def test_the_command_prints_the_length_of_a_valid_ledger(environment, post, ask, living, capsys):
    await post(ask(living))

    await asyncio.to_thread(operation.audit, ["verify"])

    assert "registry-gateway: 1 entries, none changed, missing or moved" in capsys.readouterr().out


async def test_the_command_names_the_changed_row(environment, post, ask, living, *, tmp_path, capsys):
    await post(ask(living))
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("UPDATE lookup SET outcome = 'not_matched'")
    connection.close()

    with pytest.raises(SystemExit, match="1"):
        await asyncio.to_thread(operation.audit, ["verify"])

    assert capsys.readouterr().err == "desk-audit: registry-gateway: lookup is broken: row 1 was changed\n"


# from the table before


def test_look_ups_before_the_ledger_are_added_to_the_chain(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
    command.upgrade(alembic_config(PACKAGE, url), "0001")
    with sqlite3.connect(tmp_path / "old.db") as connection:
        for hour in (9, 7, 8):
            row = (str(uuid.uuid4()), f"2026-11-24 {hour:02}:00:00.123456", "submit", f"number {hour}", "s", "matched")
            connection.execute("INSERT INTO lookup VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.close()
    command.upgrade(alembic_config(PACKAGE, url), "head")
    command.check(alembic_config(PACKAGE, url))

    async def go_on():
        database = Database(url)
        ledger = Ledger(database, VAULT)
        with pytest.raises(ChainBrokenError, match="never sealed"):
            await ledger.verify()
        await ledger.open()
        await ledger.record(made())
        head = await ledger.verify()
        seen = await ledger.list_newest(["number 7"])
        await database.close()
        return head.seq, [each.at.hour for each in seen]

    assert asyncio.run(go_on()) == (4, [7])


def test_the_migrations_keep_existing_rows_on_postgresql(postgres_server):
    name = f"ledger-{uuid.uuid4().hex[:8]}"
    url = postgres_server.create_database(name, name, secrets.token_urlsafe(12))
    command.upgrade(alembic_config(PACKAGE, url), "0001")

    async def work():
        database = Database(url)
        async with database.transaction() as session:
            await session.execute(
                text("INSERT INTO lookup VALUES ('a', '2026-11-24T07:00:00.5+00', 'submit', 'n', 's', 'matched')")
            )
        await migrate(PACKAGE, url)
        ledger = Ledger(database, VAULT)
        await ledger.open()
        head = await ledger.verify()
        await database.close()
        return head.seq

    assert asyncio.run(work()) == 1
    command.check(alembic_config(PACKAGE, url))
    command.downgrade(alembic_config(PACKAGE, url), "base")
    postgres_server.drop_database(name)
