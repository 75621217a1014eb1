"""The broker in the contract of events: users and their permissions, queues, AMQP properties.

Everything is derived from the tables from which brokers are set up; ``{province}`` stands for each of the 31 keys, and
in a routing key for ``headquarters`` too.
"""

import re
from collections.abc import Iterable
from typing import Any

from desk.chassis.bus.rabbit.layout import DEAD_EXCHANGE, dead_queue
from desk.chassis.bus.rabbit.wire import EXCHANGE, FAILURES, ROUTING_KEY, SENDER
from desk.chassis.events import CONTENT_TYPE
from desk.chassis.tracing import TRACEPARENT
from desk.iran.offices import HEADQUARTERS
from desk.iran.provinces import PROVINCES
from desk.topology.access import User
from desk.topology.access import users as broker_users
from desk.topology.definitions import desk_layout
from desk.topology.table import (
    FROM_HEADQUARTERS,
    OPERATOR,
    SERVICES,
    TO_HEADQUARTERS,
    desk_topology,
    office_queue,
    report_queue,
)

SOME_PROVINCE = PROVINCES[0].key
"""Any province: a test checks that all provinces have the same permissions."""
FOR_HEADQUARTERS = frozenset({*TO_HEADQUARTERS, *FROM_HEADQUARTERS})
"""The events that only headquarters receives or publishes."""
PROVINCE_USER = office_queue("{province}")
_KEYS = "|".join(sorted((each.key for each in PROVINCES), key=len, reverse=True))


def for_all(text: str) -> str:
    """Replace a province's key by ``{province}``, where it is part of a name."""
    return re.sub(rf"(?<=\.)(?:{_KEYS})(?=\.|$)", "{province}", text)


def key_of(name: str, province: str = SOME_PROVINCE) -> str:
    """Return the routing key of an event."""
    return f"{name}.{HEADQUARTERS.key if name in FOR_HEADQUARTERS else province}"


def _routed(name: str, exchange: str) -> dict[str, list[str]]:
    """Return the queues of an event by its routing keys: that of a province, and that of headquarters."""
    found = {key: list(desk_topology().route(exchange, key)) for key in (key_of(name), key_of(name, HEADQUARTERS.key))}
    return {key: queues for key, queues in found.items() if queues}


def queues_of(name: str, exchange: str) -> list[str]:
    """Return the queues of an event."""
    return _all_of(queue for queues in _routed(name, exchange).values() for queue in queues)


def publishers_of(name: str, exchange: str) -> list[str]:
    """Return the users who may publish an event."""
    keys = _routed(name, exchange)
    return _all_of(user.name for user in broker_users() if any(_may_publish(user, exchange, key) for key in keys))


def readers_of(name: str, exchange: str) -> list[str]:
    """Return the users who may consume an event."""
    queues = [queue for queues in _routed(name, exchange).values() for queue in queues]
    return _all_of(user.name for user in broker_users() if any(re.search(user.read, queue) for queue in queues))


def _may_publish(user: User, exchange: str, key: str) -> bool:
    return exchange in user.keys and re.search(user.keys[exchange], key) is not None


def users(events: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Describe for each user which of ``events`` (name and exchange) it may publish, and which queues it may consume.

    Permissions of services for retries and dead letters are left out.
    """
    known = list(events)
    return {for_all(user.name): _permissions(user, known) for user in broker_users() if user.name in _one_of_each()}


def _permissions(user: User, events: list[tuple[str, str]]) -> dict[str, Any]:
    names = [queue.name for queue in desk_layout().queues]
    publishes: dict[str, list[str]] = {}
    for name, exchange in events:
        keys = [key for key in _routed(name, exchange) if _may_publish(user, exchange, key)]
        if keys:
            publishes.setdefault(exchange, []).append(for_all(keys[0]))
    return {
        "declares": [],
        "publishes": publishes,
        "consumes": _all_of(name for name in names if re.search(user.read, name)),
    }


def queues() -> dict[str, Any]:
    """Return the queues that exist from the start, with their arguments and bindings."""
    topology, layout = desk_topology(), {queue.name: queue for queue in desk_layout().queues}
    found = {}
    for queue in topology.queues:
        if queue.name in _of_other_provinces():
            continue
        bindings = [{"exchange": exchange, "routingKey": for_all(key)} for exchange, key in queue.bindings]
        found[for_all(queue.name)] = _queue(layout[queue.name].arguments, bindings)
        dead = dead_queue(queue.name)
        bound = [{"exchange": DEAD_EXCHANGE, "routingKey": for_all(queue.name)}]
        found[for_all(dead)] = _queue(layout[dead].arguments, bound)
    return found


def _queue(arguments: dict[str, str | int], bindings: list[dict[str, str]]) -> dict[str, Any]:
    said = {name: for_all(value) if isinstance(value, str) else value for name, value in arguments.items()}
    return {"durable": True, "arguments": said, "bindings": bindings}


def event_properties() -> dict[str, Any]:
    """Describe the AMQP properties of events that the desk publishes."""
    services = [each.user for each in SERVICES if each.publishes]
    return _properties(
        "AMQP properties of events that the desk publishes",
        user_id={"enum": [*services, OPERATOR], "description": "the publishing user, verified by the broker"},
    ) | {"required": ["content_type", "delivery_mode", "message_id", "timestamp", "type", "user_id"]}


def report_properties() -> dict[str, Any]:
    """Describe the AMQP properties of reports that an office publishes."""
    pattern = rf"^({HEADQUARTERS.key}|province\.({_KEYS}))$"
    return _properties(
        "AMQP properties of reports that an office publishes",
        user_id={
            "pattern": pattern,
            "description": "the user of the connection; a report without it is refused as `forged_sender`",
        },
    ) | {"required": ["content_type", "delivery_mode", "message_id", "user_id"]}


def _properties(title: str, *, user_id: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": {
            "content_type": {"const": CONTENT_TYPE},
            "delivery_mode": {"const": 2, "description": "persistent: it survives a restart of the broker"},
            "message_id": {"type": "string", "maxLength": 64, "description": "the event's `id`"},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "when it was published; in AMQP, seconds since 1970",
            },
            "type": {"type": "string", "description": "the event's `type`"},
            "user_id": {"type": "string", **user_id},
        },
    }


_TRACE_CONTEXT = {
    "type": "string",
    "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
    "description": "W3C's trace context: random numbers by which operators of the desk find what belongs together",
}


def event_headers() -> dict[str, Any]:
    """Describe the headers of events: those of traces, and those after an operator has replayed a dead letter."""
    said = {
        TRACEPARENT: _TRACE_CONTEXT,
        EXCHANGE: {"type": "string", "description": "the exchange it was first published to"},
        ROUTING_KEY: {"type": "string", "description": "the routing key it was first published with"},
        SENDER: {"type": "string", "description": "the user who first published it"},
        FAILURES: {"type": "integer", "description": "how many times it had failed"},
    }
    return {
        "title": "Headers of events that the desk publishes",
        "type": "object",
        "description": (
            "None is needed to handle a message. `traceparent` is there if the desk is traced; send it with your "
            "reports on the event if you can. The others are on messages that an operator has replayed from the "
            "dead letters."
        ),
        "properties": said,
    }


def report_headers() -> dict[str, Any]:
    """Describe the headers of reports: any are allowed, and the desk reads the trace context only."""
    return {
        "title": "Headers of reports that an office publishes",
        "type": "object",
        "description": (
            "None are needed. The desk reads `traceparent` only: that of the event on which you report, so that "
            "operators find your report in the same trace. Do not put personal data into headers."
        ),
        "properties": {TRACEPARENT: _TRACE_CONTEXT},
    }


def _one_of_each() -> frozenset[str]:
    return frozenset(user.name for user in broker_users()) - _of_other_provinces()


def _of_other_provinces() -> frozenset[str]:
    """Return the names of queues and users of all provinces but one."""
    others = [each.key for each in PROVINCES if each.key != SOME_PROVINCE]
    return frozenset(name(key) for key in others for name in (office_queue, report_queue))


def _all_of(names: Iterable[str]) -> list[str]:
    return sorted({for_all(name) for name in names})
