"""The operator's commands for dead letters on a real RabbitMQ."""

import asyncio
import uuid

import aio_pika
import pytest

from desk.chassis.bus import ContractError
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry
from desk.topology import dead_letters
from desk.topology.errors import TopologyError
from desk.topology.main import main

ISFAHAN = "province.isfahan"


@pytest.fixture
def command(desk, monkeypatch, capsys):
    monkeypatch.setenv("DESK_TOPOLOGY_AMQP_URL", desk.url("operator"))

    async def command(*words: str) -> list[str]:
        await asyncio.to_thread(main, ["dead-letters", *words])
        return capsys.readouterr().out.splitlines()

    return command


@pytest.fixture
def listed(command, until):
    """Wait until the broker has moved the messages."""

    async def listed(*lines: str) -> None:
        async def as_expected() -> bool:
            return await command("list") == list(lines)

        await until(as_expected)

    return listed


@pytest.fixture
async def province(desk):
    province = RabbitBroker(desk.url(ISFAHAN), Telemetry("province"))
    yield province
    await province.close()


def report(event_id=None, body=b'{"text": "very personal"}'):
    return Message(
        event_id or str(uuid.uuid4()), "desk.cases", "case-answered.isfahan", "ir.haj.desk.case-answered.v1", body
    )


REPORTS = "reports.isfahan"


class Tracking:
    """Tracking's consumer, which rejects everything until it is repaired."""

    def __init__(self, url: str, until) -> None:
        self._until = until
        self.telemetry = Telemetry("tracking")
        self.broker = RabbitBroker(url, self.telemetry)
        self.repaired = False
        self.taken: list[Message] = []

    async def take(self, message: Message) -> None:
        if not self.repaired:
            raise ContractError("text: missing")
        self.taken.append(message)

    async def until_dead_lettered(self, count: int) -> None:
        async def are_dead_lettered() -> bool:
            died = self.telemetry.registry.get_sample_value("desk_dead_letters_total", {"queue": REPORTS})
            return died == count

        await self._until(are_dead_lettered)

    async def took(self, count: int) -> None:
        async def are_taken() -> bool:
            return len(self.taken) >= count

        await self._until(are_taken)


@pytest.fixture
async def tracking(desk, until):
    tracking = Tracking(desk.url("tracking"), until)
    await tracking.broker.consume(REPORTS, tracking.take)
    yield tracking
    await tracking.broker.close()


async def test_no_dead_letters(command):
    assert await command("list") == ["no dead letters"]
    assert await command("replay", REPORTS) == [f"{REPORTS}: 0 replayed"]


async def test_dead_letters_are_counted_and_described_without_their_content(command, province, tracking):
    await province.publish(report("e-1"))
    await province.publish(report("e-2"))
    await tracking.until_dead_lettered(2)
    assert await command("list") == [f"{REPORTS}: 2"]
    lines = await command("list", REPORTS)
    assert [line.split()[0] for line in lines] == ["e-1", "e-2"]
    assert "case-answered.isfahan  ir.haj.desk.case-answered.v1  25 bytes  text: missing" in lines[0]
    assert "personal" not in str(lines)
    assert await command("list") == [f"{REPORTS}: 2"], "listing removes nothing"


async def test_replayed_messages_are_unchanged(command, province, tracking):
    await province.publish(report("e-1"))
    await tracking.until_dead_lettered(1)
    tracking.repaired = True
    assert await command("replay", REPORTS) == [f"{REPORTS}: 1 replayed"]
    await tracking.took(1)
    [taken] = tracking.taken
    assert (taken.id, taken.exchange, taken.routing_key, taken.type, taken.body, taken.sender) == (
        "e-1",
        "desk.cases",
        "case-answered.isfahan",
        "ir.haj.desk.case-answered.v1",
        report().body,
        ISFAHAN,
    )
    assert await command("list") == ["no dead letters"]


async def test_a_limit_of_replayed_messages_is_kept(command, province, tracking):
    for _ in range(5):
        await province.publish(report())
    await tracking.until_dead_lettered(5)
    tracking.repaired = True
    assert await command("replay", REPORTS, "--limit", "2") == [f"{REPORTS}: 2 replayed"]
    assert await command("list") == [f"{REPORTS}: 3"]


async def test_a_message_that_is_dead_lettered_again_is_not_replayed_for_ever(command, province, tracking):
    await province.publish(report("e-1"))
    await tracking.until_dead_lettered(1)
    assert await command("replay", REPORTS) == [f"{REPORTS}: 1 replayed"]
    await tracking.until_dead_lettered(2)
    assert await command("list") == [f"{REPORTS}: 1"]


async def test_an_interrupted_replay_loses_none_and_may_deliver_one_twice(
    desk, command, province, tracking, monkeypatch
):
    for event_id in ("e-1", "e-2", "e-3"):
        await province.publish(report(event_id))
    await tracking.until_dead_lettered(3)
    tracking.repaired = True
    acknowledge, replayed = aio_pika.IncomingMessage.ack, []

    async def acknowledge_the_first_only(incoming):
        if incoming.exchange == "desk.dead":
            replayed.append(incoming.message_id)
            if len(replayed) == 2:
                raise ConnectionError("interrupted")
        await acknowledge(incoming)

    monkeypatch.setattr(aio_pika.IncomingMessage, "ack", acknowledge_the_first_only)
    with pytest.raises(TopologyError, match="interrupted"):
        async with dead_letters.dead_letters(desk.url("operator")) as letters:
            await letters.replay(REPORTS, None)
    monkeypatch.undo()
    monkeypatch.setenv("DESK_TOPOLOGY_AMQP_URL", desk.url("operator"))
    assert await command("replay", REPORTS) == [f"{REPORTS}: 2 replayed"]
    await tracking.took(4)
    assert sorted(message.id for message in tracking.taken) == ["e-1", "e-2", "e-2", "e-3"]


async def test_a_huge_message_is_described_as_refused_unread(command, listed, province, tracking):
    await province.publish(report("e-1", bytes(10 * 1024 * 1024)))
    await tracking.until_dead_lettered(1)
    await listed(f"{REPORTS}: 1")
    [line] = await command("list", REPORTS)
    assert line.startswith("e-1")
    assert line.endswith(
        "case-answered.isfahan  ir.haj.desk.case-answered.v1  10485760 bytes  refused unread: too large"
    )


async def test_a_province_has_dead_letters_of_its_own_and_gets_them_back(desk, command, listed):
    intake = RabbitBroker(desk.url("intake"), Telemetry("intake"))
    await intake.publish(Message("e-1", "desk.events", "request-submitted.isfahan", "t", b"{}"))
    await intake.close()
    async with await aio_pika.connect(desk.url(ISFAHAN)) as connection, connection.channel() as channel:
        queue = await channel.get_queue(ISFAHAN)
        await (await queue.get()).reject()
        await listed(f"{ISFAHAN}: 1")
        assert await command("replay", ISFAHAN) == [f"{ISFAHAN}: 1 replayed"]
        assert (await queue.get(no_ack=True)).message_id == "e-1"


async def test_the_replay_ignores_headers_of_a_province(desk, command, listed, tracking):
    forged = {"desk-exchange": "desk.cases", "desk-routing-key": "case-answered.qom", "desk-sender": "province.qom"}
    async with await aio_pika.connect(desk.url(ISFAHAN)) as connection, connection.channel() as channel:
        cases = await channel.get_exchange("desk.cases", ensure=False)
        message = aio_pika.Message(bytes(2 * 1024 * 1024), headers=forged, message_id="e-1", user_id=ISFAHAN)
        await cases.publish(message, "case-answered.isfahan")
    await tracking.until_dead_lettered(1)
    await listed(f"{REPORTS}: 1")
    await tracking.broker.close()
    await command("replay", REPORTS)
    async with await aio_pika.connect(desk.url()) as connection, connection.channel() as channel:
        incoming = await (await channel.get_queue(REPORTS)).get(no_ack=True)
    assert (incoming.headers["desk-sender"], incoming.headers["desk-routing-key"]) == (ISFAHAN, "case-answered.isfahan")


async def test_a_wrong_password_is_one_line(command, desk, monkeypatch):
    monkeypatch.setenv("DESK_TOPOLOGY_AMQP_URL", desk.url("operator").replace("operator%27s", "another%27s"))
    with pytest.raises(SystemExit, match=r"^desk-topology: RabbitMQ: wrong user or password"):
        await command("list")


async def test_a_broker_without_the_topology_is_one_line(command, rabbit_server, monkeypatch):
    empty = rabbit_server.create_vhost(f"empty-{uuid.uuid4()}")
    monkeypatch.setenv("DESK_TOPOLOGY_AMQP_URL", empty)
    with pytest.raises(SystemExit, match=r"^desk-topology: RabbitMQ: NOT_FOUND - no queue"):
        await command("list")
    rabbit_server.delete_vhost(empty.rpartition("/")[2])
