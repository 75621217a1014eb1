"""The AsyncAPI document of the events: channels, publishers, consumers and schemas."""

from collections.abc import Callable, Iterable
from typing import Any

from desk.chassis.events import CONTENT_TYPE, Envelope, Event
from desk.contracts import access
from desk.contracts.encrypted import Envelope as EventObject
from desk.contracts.encrypted import Vectors
from desk.topology.table import CASES, TO_HEADQUARTERS

Dress = Callable[[str, Event], EventObject]
"""Puts an event of a source into its envelope, before its data is encrypted."""

_DESCRIPTION = (
    "CloudEvents 1.0 in structured JSON over AMQP 0-9-1. Routing keys are `<event>.<province key>`. A body has 1 MiB "
    "at most. Within a version fields are only added: read what you need and ignore the rest, also events you do not "
    "know. An event may be delivered more than once, and out of order: the same `id` shows a "
    "repetition, and `seq` the order.\n\n"
    "`data` is encrypted for the receivers of the event: a JWE (RFC 7516) in the general JSON serialization, A256GCM, "
    "with one recipient for each key by ECDH-ES+A256KW (X25519; an office may choose P-256). `kid` in the header of a "
    "recipient is the RFC 7638 thumbprint of its public key. The protected header is JSON without white space and "
    "has the event's `id` as `event_id`: a receiver rejects data with another one. Compression (`zip`), `crit`, "
    "`aad` and a shared unprotected header are refused, and there are 8 recipients at most. A report is encrypted for "
    "every key of `GET /api/event-keys`. Under `x-decrypted` is the schema of the decrypted data, and the example "
    "before encryption."
)
_PARAMETER = {"province": {"description": "key of the province, as in GET /api/catalog"}}
_SERVER = {
    "host": "{host}:5671",
    "protocol": "amqps",
    "protocolVersion": "0-9-1",
    "description": "RabbitMQ 3.10 or newer; the desk's operator gives its host and each user's password",
    "variables": {"host": {"description": "the broker's host name", "default": "broker.example.ir"}},
    "security": [{"$ref": "#/components/securitySchemes/user"}],
}
_SECURITY = {
    "type": "userPassword",
    "description": "A province logs in as `province.<its key>`; what each user may do stands under `x-users`.",
}


def document(examples: Iterable[tuple[str, Event]], dress: Dress, vectors: Vectors) -> dict[str, Any]:
    """Describe every event of ``examples``, which contain the source that publishes each event.

    An exchange is a channel's binding, a routing key its address. Extensions have names with ``x-``.
    """
    listed = list(examples)
    schemas: dict[str, Any] = {
        **_envelope_schemas(),
        "EventHeaders": access.event_headers(),
        "EventProperties": access.event_properties(),
        "ReportHeaders": access.report_headers(),
        "ReportProperties": access.report_properties(),
    }
    described: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {"title": "Service Desk events", "version": "2.0.0", "description": _DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _SERVER},
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "schemas": schemas, "securitySchemes": {"user": _SECURITY}},
        "x-users": access.users((event.name, event.exchange) for _, event in listed),
        "x-queues": access.queues(),
    }
    for source, event in listed:
        described["channels"][event.name] = _channel(event)
        action = "receive" if event.exchange == CASES else "send"
        described["operations"][f"{action}-{event.name}"] = _operation(action, event)
        described["components"]["messages"][event.name] = _message(event, dress(source, event), vectors)
        schemas.update(_schemas(event))
    return described


def _envelope_schemas() -> dict[str, Any]:
    schema = Envelope.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), "Envelope": schema}


def _channel(event: Event) -> dict[str, Any]:
    name, to_headquarters = event.name, event.name in TO_HEADQUARTERS
    return {
        "address": access.key_of(name, "{province}"),
        "description": (type(event).__doc__ or "").strip(),
        **({} if to_headquarters else {"parameters": _PARAMETER}),
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "amqp": {"is": "routingKey", "exchange": {"name": event.exchange, "type": "topic", "durable": True}}
        },
        "x-queues": access.queues_of(name, event.exchange),
    }


def _operation(action: str, event: Event) -> dict[str, Any]:
    """Describe who may publish and who may consume an event; the desk is the sender or the receiver."""
    publish = access.publishers_of(event.name, event.exchange)
    usual = {"deliveryMode": 2, "timestamp": True, "userId": publish[0]}
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{event.name}"},
        "bindings": {"amqp": usual | ({"mandatory": True} if action == "send" else {"ack": True})},
        "x-permissions": {"publish": publish, "consume": access.readers_of(event.name, event.exchange)},
    }


def _message(event: Event, clear: EventObject, vectors: Vectors) -> dict[str, Any]:
    name, kind = event.name, "Report" if event.exchange == CASES else "Event"
    return {
        "name": event.type(),
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": f"#/components/schemas/{kind}Headers"},
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"type": "object", "properties": {"type": {"const": event.type()}}},
            ]
        },
        "x-decrypted": {
            "data": {"$ref": f"#/components/schemas/{type(event).__name__}Data"},
            "example": clear,
        },
        "bindings": {"amqp": {"contentEncoding": "UTF-8", "messageType": event.type()}},
        "examples": [{"name": name, "payload": vectors.envelope(event, clear)}],
        "x-amqp-properties": {"$ref": f"#/components/schemas/{kind}Properties"},
    }


def _schemas(event: Event) -> dict[str, Any]:
    schema = type(event).model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), f"{type(event).__name__}Data": schema}
