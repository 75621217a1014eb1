"""Row 25: a person who can write to a database changes audit entries, or moves a ciphertext to another row."""

import secrets
import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from desk.chassis.audit import AuditLog, AuditTask, chain_of
from desk.chassis.crypto import DecryptionError, Vault
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry
from desk.console.encryption import Encryption, new_key
from desk.console.store.audit import AuditStore, audit_chain
from desk.database import ChainBrokenError, Database, DataKeys, chain_entries, migrate

pytestmark = pytest.mark.attacks

VAULT = Vault({"k1": secrets.token_bytes(32)}, secrets.token_bytes(32))
CONSOLE = Encryption.from_text(new_key())
CODES = ("123456789018", "210987654321")
NOW = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
PACKAGES = {name: f"desk.{name}" for name in ("intake", "tracking", "notifier", "console")}
ENTRIES = 6


@pytest.fixture
async def database_of(postgres_server):
    opened = []

    async def database_of(name):
        database_name = f"stored-{name}-{uuid.uuid4().hex[:8]}"
        url = postgres_server.create_database(database_name, database_name, secrets.token_urlsafe(12))
        await migrate(PACKAGES[name], url)
        database = Database(url)
        opened.append((database, database_name))
        return database

    yield database_of
    for database, database_name in opened:
        await database.close()
        postgres_server.drop_database(database_name)


async def execute(database, *statements):
    async with database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))


async def written(database, name):
    """Write and chain entries; return the table and the chain."""
    if name == "console":
        async with database.transaction() as session:
            for _ in range(ENTRIES):
                await AuditStore(session).add(NOW, "isfahan", None, "open", tracking_code=CODES[0])
        chain = audit_chain(CONSOLE)
        await chain_entries(database, chain)
        return "deed", "kind", chain
    log = AuditLog(database, VAULT, RateLimits("memory://"))
    async with database.transaction() as session:
        for _ in range(ENTRIES):
            await log.add(session, "applicant", "request_read", subject=CODES[0], source="192.0.2.1")
    await AuditTask(database, VAULT, Telemetry(name).registry).run_once()
    return "audit_entry", "action", chain_of(VAULT)


ATTACKS = {
    "changed": (["UPDATE {table} SET {column} = 'x' WHERE seq = 3"], "row 3 was changed"),
    "removed": (["DELETE FROM {table} WHERE seq = 3"], "row 3 is missing"),
    "reordered": (
        [
            "UPDATE {table} SET seq = 99 WHERE seq = 3",
            "UPDATE {table} SET seq = 3 WHERE seq = 4",
            "UPDATE {table} SET seq = 4 WHERE seq = 99",
        ],
        "row 3 does not follow row 2",
    ),
    "cut off": (["DELETE FROM {table} WHERE seq > 3"], "the chain ends at row 3, but row 6 was the last one written"),
    "cut off with its end": (
        [
            "DELETE FROM {table} WHERE seq > 3",
            "UPDATE audit_head SET seq = 3, row_hash = (SELECT row_hash FROM {table} WHERE seq = 3)",
        ],
        "the head was changed",
    ),
    "emptied with its end": (["DELETE FROM {table}", "DELETE FROM audit_head"], "the head is missing"),
}


@pytest.mark.parametrize("name", ["intake", "tracking", "console"])
@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_change_of_the_audit_log_is_found(database_of, name, attack):
    database = await database_of(name)
    table, column, chain = await written(database, name)
    assert (await chain.verify(database)).seq == ENTRIES
    statements, error = ATTACKS[attack]

    await execute(database, *(each.format(table=table, column=column) for each in statements))

    with pytest.raises(ChainBrokenError, match=error):
        await chain.verify(database)


PLACES = {
    "intake": "request.personal:{}",
    "tracking": "case.request:{}",
    "notifier": "message.personal:{}",
    "console": "case.document:isfahan/{}",
}


@pytest.mark.parametrize("name", PLACES)
async def test_a_ciphertext_in_another_row_does_not_decrypt(database_of, name):
    """Neither with the data key of its own row, nor after the wrapped keys were exchanged as well."""
    database = await database_of(name)
    keys = DataKeys(CONSOLE if name == "console" else VAULT)
    one, other = CODES
    async with database.transaction() as session:
        sealed = (await keys.create(session, one)).seal(b"personal", PLACES[name].format(one))
        await keys.create(session, other)
    wrapped = {code: await wrapped_key(database, code) for code in CODES}
    assert keys.open(sealed, PLACES[name].format(one), one, wrapped[one]) == b"personal"

    with pytest.raises(DecryptionError):
        keys.open(sealed, PLACES[name].format(other), other, wrapped[other])
    await execute(
        database,
        f"UPDATE data_key SET id = 'x' WHERE id = '{one}'",  # noqa: S608 - a constant
        f"UPDATE data_key SET id = '{one}' WHERE id = '{other}'",  # noqa: S608 - a constant
        f"UPDATE data_key SET id = '{other}' WHERE id = 'x'",  # noqa: S608 - a constant
    )
    with pytest.raises(DecryptionError):
        keys.open(sealed, PLACES[name].format(other), other, await wrapped_key(database, other))


async def wrapped_key(database, code):
    async with database.read() as session:
        found = await session.execute(text("SELECT wrapped FROM data_key WHERE id = :code"), {"code": code})
        return bytes(found.scalar_one())
