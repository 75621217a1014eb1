"""The receiving side: what is no event is said to be none, and what is one has its effect once."""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from desk.chassis.bus import Bus, ContractError
from desk.chassis.event_tables import inbox
from desk.chassis.events import Message, Received
from desk.testing.event_keys import decryptor_of, encrypted

TYPE = "ir.haj.desk.thing-made.v1"
SECRET = "0013542419"


def message(*, body=None, message_id=None, sender=None, extra=MappingProxyType({}), **envelope):
    """An event on the wire; a field given as ``...`` is left out, and ``extra`` replaces what was encrypted."""
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/desk/maker",
        "type": TYPE,
        "subject": "s-1",
        "time": "2026-12-13T11:00:00Z",
        "seq": 1,
        "data": {"label": "first"},
        **envelope,
    }
    event = encrypted({name: value for name, value in event.items() if value is not ...}, "made") | extra
    return Message(
        id=message_id or str(event.get("id")),
        exchange="desk.events",
        routing_key="thing-made.north",
        type=str(event.get("type")),
        body=json.dumps(event).encode() if body is None else body,
        sender=sender,
    )


@pytest.fixture
def received():
    return []


@pytest.fixture
def bus(store, telemetry, thing_made, received):
    async def keep(session, came):
        received.append(came)
        await store.add_effect(session, came.data.label)

    bus = Bus("made", store.database, None, telemetry, decryptor_of("made"))
    bus.subscribe(thing_made, keep)
    return bus


async def test_an_event_has_its_effect(bus, store):
    await bus.handle(message())
    assert await store.labels() == ["first"]


async def test_a_handler_receives_the_envelope_and_the_sender(bus, received, thing_made):
    sent = message(seq=3, time="2026-12-13T14:30:00+03:30", sender="province.north")
    await bus.handle(sent)
    assert received == [
        Received(
            id=sent.id,
            source="/desk/maker",
            subject="s-1",
            seq=3,
            time=datetime(2026, 12, 13, 11, tzinfo=UTC),
            data=thing_made(label="first"),
            routing_key="thing-made.north",
            sender="province.north",
        )
    ]


async def test_unknown_fields_are_ignored(bus, store):
    await bus.handle(message(data={"label": "first", "colour": ["new"]}, traceparent="00-1-2-01"))
    assert await store.labels() == ["first"]


async def test_a_second_delivery_has_no_second_effect(bus, received):
    sent = message()
    await bus.handle(sent)
    await bus.handle(sent)
    assert len(received) == 1


async def test_deliveries_at_the_same_time_have_one_effect(bus, received):
    sent = message()
    await asyncio.gather(*(bus.handle(sent) for _ in range(5)))
    assert len(received) == 1


async def test_a_second_delivery_is_counted_as_such(bus, telemetry):
    sent = message()
    await bus.handle(sent)
    await bus.handle(sent)
    sample = telemetry.registry.get_sample_value
    assert sample("desk_events_total", {"type": TYPE, "outcome": "handled"}) == 1
    assert sample("desk_events_total", {"type": TYPE, "outcome": "repeated"}) == 1


async def test_a_handler_that_fails_leaves_neither_effect_nor_inbox_row(store, telemetry, thing_made):
    async def fail(session, came):
        await store.add_effect(session, came.data.label)
        raise RuntimeError

    bus = Bus("made", store.database, None, telemetry, decryptor_of("made"))
    bus.subscribe(thing_made, fail)
    with pytest.raises(RuntimeError):
        await bus.handle(message())
    assert (await store.labels(), await store.rows(select(inbox))) == ([], [])


async def test_a_failed_event_has_its_effect_when_it_is_delivered_again(store, telemetry, thing_made):
    errors = [RuntimeError()]

    async def fail_once(session, came):
        await store.add_effect(session, came.data.label)
        if errors:
            raise errors.pop()

    bus = Bus("made", store.database, None, telemetry, decryptor_of("made"))
    bus.subscribe(thing_made, fail_once)
    sent = message()
    with pytest.raises(RuntimeError):
        await bus.handle(sent)
    await bus.handle(sent)
    assert await store.labels() == ["first"]


async def test_a_commit_that_fails_leaves_no_inbox_row(store, telemetry, thing_made):
    async def promise(session, came):
        await store.add_promise(session, "never kept")

    bus = Bus("made", store.database, None, telemetry, decryptor_of("made"))
    bus.subscribe(thing_made, promise)
    with pytest.raises(IntegrityError):
        await bus.handle(message())
    assert await store.rows(select(inbox)) == []


async def test_the_bus_lists_the_events_it_consumes(bus, thing_made):
    assert bus.consumed_events == (thing_made,)


BROKEN = {
    "no JSON": {"body": SECRET.encode() + b"{"},
    "nothing": {"body": b""},
    "bytes that are no text": {"body": b"\xff\xfe" + SECRET.encode()},
    "a list": {"body": f'["{SECRET}"]'.encode()},
    "half an escape": {"body": b'{"id": "\\ud800"}'},
    "nested without end": {"body": b'{"data":' * 100_000},
    "a NUL in its id": {"id": "a\x00b"},
    "a space in its subject": {"subject": "1 2"},
    "a line end in its source": {"source": "/desk/test\n"},
    "no envelope": {"body": json.dumps({"label": SECRET}).encode()},
    "an unknown type": {"type": "ir.haj.desk.thing-painted.v1", "data": {"label": SECRET}},
    "another version": {"type": "ir.haj.desk.thing-made.v2", "data": {"label": SECRET}},
    "no type": {"type": ..., "subject": SECRET},
    "no id": {"id": ..., "subject": SECRET},
    "no subject": {"subject": ..., "data": {"label": SECRET}},
    "no source": {"source": ..., "subject": SECRET},
    "a number as time": {"time": 1.5, "subject": SECRET},
    "no sequence number": {"seq": ..., "subject": SECRET},
    "a sequence number of nothing": {"seq": 0, "subject": SECRET},
    "a sequence number too large for the store": {"seq": 2**31, "subject": SECRET},
    "another version of CloudEvents": {"specversion": "0.3", "subject": SECRET},
    "a naive time": {"time": "2026-12-13T11:00:00", "subject": SECRET},
    "a time beyond all calendars": {"time": "9999-12-31T23:59:59-10:00", "subject": SECRET},
    "no time": {"time": ..., "subject": SECRET},
    "no data": {"data": ..., "subject": SECRET},
    "data that are text": {"data": SECRET},
    "data that are not encrypted": {"extra": {"datacontenttype": "application/json", "data": {"label": SECRET}}},
    "clear data under the right content type": {"extra": {"data": {"label": SECRET}}},
    "a missing field": {"data": {"labels": SECRET}},
    "a field of another type": {"data": {"label": [SECRET]}},
    "a naive time in the data": {"data": {"label": SECRET, "made_at": "2026-12-13T11:00:00"}},
    "a subject that is too long": {"subject": SECRET * 7},
    "an id that is not the message's": {"message_id": "another", "subject": SECRET},
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_breaks_the_contract_is_refused(bus, received, broken):
    with pytest.raises(ContractError):
        await bus.handle(message(**BROKEN[broken]))
    assert received == []


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_refusal_repeats_no_value(bus, broken):
    with pytest.raises(ContractError) as caught:
        await bus.handle(message(**BROKEN[broken]))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_a_refusal_says_which_field_is_wrong(bus):
    with pytest.raises(ContractError, match="label: missing"):
        await bus.handle(message(data={}))


async def test_a_refusal_of_clear_data_says_that_it_is_not_encrypted(bus):
    clear = {"datacontenttype": "application/json", "data": {"label": "first"}}
    with pytest.raises(ContractError, match="the data is not encrypted"):
        await bus.handle(message(extra=clear))


async def test_data_for_another_receiver_is_refused_with_the_keys_it_is_for(bus, store):
    sent = json.loads(message().body) | {"data": {"label": "first"}}
    with pytest.raises(ContractError, match="encrypted for other keys: "):
        await bus.handle(message(body=json.dumps(encrypted(sent, "another")).encode(), message_id=sent["id"]))
    assert await store.labels() == []


async def test_data_of_another_event_is_refused(bus, store):
    other = json.loads(message().body)["data"]
    with pytest.raises(ContractError, match="encrypted for another event"):
        await bus.handle(message(extra={"data": other}))
    assert await store.labels() == []


async def test_what_breaks_the_contract_leaves_no_inbox_row(bus, store):
    with pytest.raises(ContractError):
        await bus.handle(message(data={}))
    assert await store.rows(select(inbox)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.binary(max_size=64) | st.text(max_size=64).map(json.dumps).map(str.encode))
async def test_any_invalid_body_raises_a_contract_error(bus, body):
    with pytest.raises(ContractError):
        await bus.handle(message(body=body, message_id="e-1"))
