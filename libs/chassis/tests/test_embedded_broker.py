"""What only the embedded broker has to show: its file, and how it lives with a file that fails."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from desk.chassis.bus import BrokerUnavailableError, ContractError, QueueSpec, Topology
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import Vault
from desk.chassis.events import Message

TOPOLOGY = Topology(("desk.events",), (QueueSpec("made", (("desk.events", "#"),)),))


def message(event_id="e-1", body=b"{}"):
    return Message(event_id, "desk.events", "thing-made.north", "ir.haj.desk.thing-made.v1", body, sender="maker")


@pytest.fixture
async def broker(tmp_path, vault, monkeypatch):
    monkeypatch.setattr("desk.chassis.bus.embedded.PAUSE_SECONDS", 0.01)
    broker = EmbeddedBroker(f"sqlite+aiosqlite:///{tmp_path / 'broker.db'}", TOPOLOGY, vault)
    await broker.open()
    yield broker
    await broker.close()


async def execute(broker, statement):
    async with broker._database.transaction() as session:
        await session.execute(text(statement))


async def test_it_keeps_the_given_sender(broker):
    came = asyncio.get_running_loop().create_future()

    async def take(taken):
        came.set_result(taken.sender)

    await broker.consume("made", take)
    await broker.publish(message())
    assert await asyncio.wait_for(came, 60) == "maker"


async def test_bodies_cannot_be_read_in_its_file(broker, tmp_path):
    await broker.publish(message(body="زهرا رضایی".encode()))
    written = b"".join(path.read_bytes() for path in tmp_path.glob("broker.db*"))
    assert b"e-1" in written, "the test looks into the right files"
    assert "رضایی".encode() not in written


async def test_a_dead_letter_has_its_reason(broker, until):
    async def refuse(_message):
        raise ContractError("unknown event")

    await broker.consume("made", refuse)
    await broker.publish(message())

    async def is_dead():
        return bool(await broker.dead_letters("made"))

    await until(is_dead)
    assert await broker.dead_letters("made") == [("e-1", "unknown event")]


async def test_a_message_that_cannot_be_decrypted_is_dead_lettered_and_delays_nothing(broker, until):
    taken = []

    async def take(came):
        taken.append(came.id)

    await broker.publish(message("e-1"))
    await execute(broker, "UPDATE message SET body = x'00'")
    await broker.publish(message("e-2"))
    await broker.consume("made", take)

    async def is_empty():
        return await broker.waiting("made") == 0

    await until(is_empty)
    assert taken == ["e-2"]
    assert [died for died, _ in await broker.dead_letters("made")] == ["e-1"]


async def test_a_queue_is_served_again_after_its_file_failed(broker, monkeypatch, until):
    deliver_next, failures, taken = EmbeddedBroker._deliver_next, [], []

    async def failing_once(self, queue, consumer):
        if not failures:
            failures.append(queue)
            raise OperationalError("SELECT", {}, Exception("database is locked"))
        return await deliver_next(self, queue, consumer)

    async def take(came):
        taken.append(came.id)

    monkeypatch.setattr(EmbeddedBroker, "_deliver_next", failing_once)
    await broker.publish(message())
    await broker.consume("made", take)

    async def has_come():
        return taken == ["e-1"]

    await until(has_come)
    assert broker.alive()


async def test_an_unwritable_file_is_an_unavailable_broker(broker):
    await execute(broker, "DROP TABLE message")
    with pytest.raises(BrokerUnavailableError):
        await broker.publish(message())
    await broker.open()


async def test_a_key_that_was_rotated_out_of_first_place_still_opens_waiting_messages(broker, tmp_path: Path, vault):
    await broker.publish(message(body=b"before"))
    await broker.close()
    rotated = Vault({"k2": b"n" * 32, "k1": b"k" * 32}, b"i" * 32)
    again = EmbeddedBroker(f"sqlite+aiosqlite:///{tmp_path / 'broker.db'}", TOPOLOGY, rotated)
    came = asyncio.get_running_loop().create_future()

    async def take(taken):
        came.set_result(taken.body)

    await again.consume("made", take)
    assert await asyncio.wait_for(came, 60) == b"before"
    await again.close()


async def test_a_dead_letter_expires_when_its_term_has_ended(broker, until, monkeypatch):
    async def refuse(_message):
        raise ContractError("never")

    await broker.consume("made", refuse)
    await broker.publish(message())

    async def is_dead():
        return bool(await broker.dead_letters("made"))

    await until(is_dead)
    await broker.open()
    assert await is_dead()
    monkeypatch.setattr("desk.chassis.bus.embedded.DEAD_LETTER_TERM", timedelta())
    await broker.open()
    assert not await is_dead()
