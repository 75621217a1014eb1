"""Python run in a service's process before the service, to kill it at one exact point or to break it on purpose."""

from pathlib import Path

from faults.scale import TEST_SECONDS
from support.embedded_desk import wait_for
from support.real_service import Service


class Deaths:
    """The number of times that processes still have to kill themselves, in a file that survives them."""

    def __init__(self, file: Path, number: int) -> None:
        self._file = file
        self._file.write_text(str(number))

    @property
    def left(self) -> int:
        return int(self._file.read_text())

    def at(self, point: str) -> str:
        """Return the prelude for one of the points below."""
        return f"""
import os, signal
from pathlib import Path

def die(left=Path({str(self._file)!r})):
    deaths = int(left.read_text())
    if deaths > 0:
        fewer = left.with_suffix(".fewer")
        fewer.write_text(str(deaths - 1))
        fewer.replace(left)
        os.kill(os.getpid(), signal.SIGKILL)
{point}"""


def until_all_died(deaths: Deaths, service: Service) -> None:
    """Start the service again as often as it kills itself."""

    def done() -> bool:
        service.revive()
        # Checked after the counter: a process that is about to die no longer responds.
        return deaths.left == 0 and service.answers("/health/live")

    wait_for(done, TEST_SECONDS)


BETWEEN_COMMIT_AND_RESPONSE = """
from desk.database import database

notify = database.Database._notify

def after_commit(self, session):
    if session.info.get(database._NOTIFY):
        die()
    notify(self, session)

database.Database._notify = after_commit
"""

AFTER_CONFIRM_BEFORE_MARKING = """
from desk.chassis.events import Outbox

mark = Outbox.mark_sent

async def mark_sent(self, session, ids):
    die()
    await mark(self, session, ids)

Outbox.mark_sent = mark_sent
"""

AFTER_EFFECT_BEFORE_ACK = """
from contextvars import ContextVar
from desk.chassis.bus import consumer

effect = ContextVar("effect", default=False)
first, handle = consumer.record_in_inbox, consumer.Bus.handle

async def record_in_inbox(session, event_id):
    new = await first(session, event_id)
    effect.set(new)
    return new

async def handle_and_die(self, message):
    await handle(self, message)
    if effect.get():
        die()

consumer.record_in_inbox = record_in_inbox
consumer.Bus.handle = handle_and_die
"""

BEFORE_EFFECT = """
from desk.chassis.bus.consumer import Bus

async def handle(self, message, whole=Bus.handle):
    die()
    await whole(self, message)

Bus.handle = handle
"""

EVERY_EVENT_FAILS_FOR_GOOD = """
from desk.chassis.bus.consumer import Bus
from desk.chassis.bus.rabbit import RabbitBroker

async def handle(self, message):
    raise RuntimeError("broken on purpose")

Bus.handle = handle
RabbitBroker.__init__.__kwdefaults__["retry_delays"] = ()
"""


SHORT_CLAIMS = """
from datetime import timedelta
from desk.notifier.store import claims

claims.LEASE = timedelta(seconds=5)
"""
"""What a killed notifier had claimed is free again after two minutes; no test waits so long."""


EAGER_REPORTS = """
from datetime import timedelta
from desk.notifier.domain import messages
from desk.notifier.store import delivery_reports as stored
from desk.notifier.workers import delivery_reports

messages.FIRST_POLL = messages.AMBIGUOUS_RETRY_DELAY = timedelta(seconds=1)
stored.poll_delay = lambda age: timedelta(seconds=1)
stored.SLOW_AFTER = timedelta(seconds=15)
delivery_reports.PAUSE_SECONDS = 0.5
"""
"""A provider is asked every second, a doubt is asked about after five, and what takes fifteen is slow."""


def after_handing_over(provider: str) -> str:
    """Die (see Deaths) when a provider has taken a message, before that is written down."""
    return f"""
from desk.notifier.app import {provider}

async def send(self, message, whole={provider}.send):
    taken = await whole(self, message)
    die()
    return taken

{provider}.send = send
"""


def sms_provider(taken: Path) -> str:
    """Return an SMS provider that records each reference and crashes (see Deaths) before it responds."""
    return f"""
from desk.notifier import channels

async def send(self, message):
    with open({str(taken)!r}, "a") as taken:
        taken.write(message.reference + chr(10))
    die()
    return "shown-" + message.reference

channels.ShownChannel.send = send
"""


COMMITS_OUT_OF_ORDER = """
import asyncio
from itertools import count
from desk.intake.store import RequestStore

add, number = RequestStore.add, count(1)

async def add_and_linger(self, *values, **named):
    added = await add(self, *values, **named)
    if next(number) % 3 == 0:
        await asyncio.sleep(1.5)
    return added

RequestStore.add = add_and_linger
"""

NO_INBOX = """
from desk.chassis.bus import consumer

async def always(session, event_id):
    return True

consumer.record_in_inbox = always
"""

MARKING_BEFORE_THE_CONFIRM = """
import asyncio
from desk.chassis.bus.relay import BATCH, Relay

async def send_batch(self):
    async with self._database.transaction() as session:
        messages = await self._outbox.claim(session, BATCH)
        await self._outbox.mark_sent(session, [message.id for message in messages])
    await asyncio.gather(*(self._publish(message) for message in messages))
    return len(messages)

Relay.send_batch = send_batch
"""

WITHOUT_MANDATORY = """
from aio_pika import Exchange

async def publish(self, message, routing_key, *, mandatory=True, whole=Exchange.publish, **more):
    return await whole(self, message, routing_key, mandatory=False, **more)

Exchange.publish = publish
"""

POLLING_BY_CURSOR = """
from datetime import UTC, datetime
from sqlalchemy import select
from desk.chassis.event_tables import outbox
from desk.chassis.events import Message, Outbox

last_seen = datetime.now(UTC)

async def claim(self, session, limit):
    global last_seen
    rows = (
        await session.execute(
            select(outbox).where(outbox.c.created_at > last_seen).order_by(outbox.c.created_at).limit(limit)
        )
    ).all()
    if rows:
        last_seen = rows[-1].created_at
    return [Message(row.id, row.exchange, row.routing_key, row.type, row.body) for row in rows]

Outbox.claim = claim
"""
