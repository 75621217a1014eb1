"""Each user has the permissions it needs on a real RabbitMQ; ``test_refusals`` tests those it must not have."""

import asyncio
import uuid

import aio_pika
import pytest

from desk.chassis.bus import BrokerUnavailableError, ContractError
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry

ISFAHAN = "province.isfahan"


def event(exchange="desk.cases", key="case-answered.isfahan"):
    return Message(str(uuid.uuid4()), exchange, key, f"ir.haj.desk.{key.partition('.')[0]}.v1", b"{}")


async def test_tracking_sees_which_province_sent_a_report(desk):
    province, tracking = (
        RabbitBroker(desk.url(ISFAHAN), Telemetry("a")),
        RabbitBroker(desk.url("tracking"), Telemetry("b")),
    )
    came = asyncio.get_running_loop().create_future()

    async def take(message):
        came.set_result(message)

    await tracking.consume_paced(["reports.isfahan", "reports.qom"], take, 20)
    await province.publish(event())
    assert (await asyncio.wait_for(came, 60)).sender == ISFAHAN
    await province.close()
    await tracking.close()


async def test_a_province_receives_events_about_its_requests(desk):
    intake, province = RabbitBroker(desk.url("intake"), Telemetry("a")), RabbitBroker(desk.url(ISFAHAN), Telemetry("b"))
    came = asyncio.get_running_loop().create_future()

    async def take(message):
        came.set_result(message)

    await province.consume(ISFAHAN, take)
    submitted = event("desk.events", "request-submitted.isfahan")
    await intake.publish(submitted)
    assert (await asyncio.wait_for(came, 60)).id == submitted.id
    await intake.close()
    await province.close()


@pytest.mark.parametrize("user", ["tracking", "notifier"])
async def test_a_service_can_retry_and_dead_letter_with_its_permissions(desk, until, user):
    intake, reader = RabbitBroker(desk.url("intake"), Telemetry("a")), RabbitBroker(desk.url(user), Telemetry("b"))
    fates = [RuntimeError("not now"), ContractError("never")]

    async def fail(_message):
        raise fates.pop(0)

    await reader.consume(user, fail)
    await intake.publish(event("desk.events", "request-submitted.isfahan"))
    await intake.publish(event("desk.events", "request-submitted.isfahan"))
    async with await aio_pika.connect(desk.url()) as connection, connection.channel() as channel:

        async def both_have_arrived() -> bool:
            queues = [await channel.declare_queue(name, passive=True) for name in ("delay.5s", f"{user}.dead")]
            return [queue.declaration_result.message_count for queue in queues] == [1, 1]

        await until(both_have_arrived)
    assert reader.alive()
    await intake.close()
    await reader.close()


async def test_an_event_whose_publish_is_refused_stays_in_the_outbox(desk):
    province = RabbitBroker(desk.url(ISFAHAN), Telemetry("a"))
    with pytest.raises(BrokerUnavailableError, match="ACCESS_REFUSED"):
        await province.publish(event(key="case-answered.qom"))
    await province.publish(event())
    await province.close()
