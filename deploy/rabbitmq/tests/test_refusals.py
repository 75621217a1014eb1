"""What a real RabbitMQ does not allow each user."""

import asyncio

import aio_pika
import pytest
from aio_pika.exceptions import AMQPError

ISFAHAN = "province.isfahan"


async def refused(url, act) -> str:
    """Return why the broker refuses what ``act`` does on a channel of its own."""
    async with await aio_pika.connect(url) as connection:
        channel = connection.channel(on_return_raises=True)
        await channel.initialize()
        with pytest.raises(AMQPError) as refusal:
            await asyncio.wait_for(act(channel), 60)
        await connection.close()
    return str(refusal.value)


def publishing(exchange, key, **properties):
    async def act(channel):
        target = await channel.get_exchange(exchange, ensure=False)
        await target.publish(aio_pika.Message(b"{}", **properties), key)

    return act


def reading(queue):
    async def act(channel):
        await (await channel.get_queue(queue, ensure=False)).get()

    return act


def binding(queue, exchange, key):
    async def act(channel):
        await (await channel.get_queue(queue, ensure=False)).bind(exchange, key)

    return act


def declaring(queue):
    async def act(channel):
        await channel.declare_queue(queue, durable=True)

    return act


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(reading("province.qom"), id="another's queue"),
        pytest.param(reading("tracking"), id="a service's queue"),
        pytest.param(reading("province.isfahan.dead"), id="dead letters, its own too"),
        pytest.param(publishing("desk.cases", "case-answered.qom"), id="another's key"),
        pytest.param(publishing("desk.cases", "case-answered.north.isfahan"), id="a longer key"),
        pytest.param(publishing("desk.cases", "case-taken-over.headquarters"), id="headquarters' key"),
        pytest.param(reading("headquarters"), id="headquarters' queue"),
        pytest.param(publishing("desk.cases", "case-answered.isfahan", user_id="province.qom"), id="another's user_id"),
        pytest.param(publishing("desk.events", "request-submitted.isfahan"), id="the desk's events"),
        pytest.param(publishing("desk.retry", "replay.tracking"), id="the exchange whose headers are believed"),
        pytest.param(publishing("desk.dead", "tracking"), id="dead letters"),
        pytest.param(publishing("", "tracking"), id="a queue directly"),
        pytest.param(binding("province.isfahan", "desk.events", "#"), id="more than is bound"),
        pytest.param(declaring("province.spy"), id="a new queue"),
    ],
)
async def test_a_province_is_refused(lasting_desk, act):
    why = await refused(lasting_desk.url(ISFAHAN), act)
    assert "ACCESS_REFUSED" in why or "user_id" in why


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(publishing("desk.cases", "case-answered.isfahan"), id="a province's key"),
        pytest.param(
            publishing("desk.cases", "case-answered.headquarters", user_id=ISFAHAN), id="a province's user_id"
        ),
        pytest.param(publishing("desk.events", "request-commented.isfahan"), id="the desk's events"),
        pytest.param(reading(ISFAHAN), id="a province's queue"),
        pytest.param(reading("reports.headquarters"), id="its reports"),
        pytest.param(reading("headquarters.dead"), id="dead letters, its own too"),
    ],
)
async def test_headquarters_is_refused(lasting_desk, act):
    why = await refused(lasting_desk.url("headquarters"), act)
    assert "ACCESS_REFUSED" in why or "user_id" in why


@pytest.mark.parametrize(
    ("user", "act"),
    [
        ("intake", publishing("desk.events", "request-status-changed.qom")),
        ("intake", publishing("desk.cases", "case-answered.qom")),
        ("intake", reading("tracking")),
        ("tracking", publishing("desk.events", "request-submitted.qom")),
        ("tracking", publishing("desk.delay", "5s.notifier")),
        ("tracking", reading("notifier")),
        ("notifier", publishing("desk.events", "request-status-changed.qom")),
        ("notifier", publishing("desk.dead", "tracking")),
        ("operator", reading("tracking")),
        ("operator", publishing("desk.retry", "5s.tracking")),
        ("operator", publishing("desk.cases", "case-answered.qom")),
    ],
)
async def test_a_service_is_refused_the_work_of_others(lasting_desk, user, act):
    assert "ACCESS_REFUSED" in await refused(lasting_desk.url(user), act)


async def test_a_user_without_a_password_cannot_log_in(lasting_desk):
    address = lasting_desk.url(ISFAHAN).replace("province.isfahan:", "province.fars:").replace("isfahan%27s%20word", "")
    with pytest.raises(AMQPError):
        await aio_pika.connect(address)
