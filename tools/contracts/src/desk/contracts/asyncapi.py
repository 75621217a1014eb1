"""The AsyncAPI document of the events: channels, publishers, consumers and schemas."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from desk.chassis.events import CONTENT_TYPE, Envelope, Event
from desk.contracts import access, office_rules
from desk.contracts.encrypted import Envelope as EventObject
from desk.contracts.encrypted import Vectors
from desk.contracts.examples import Example
from desk.intake.domain import FILE_MEGABYTES_MAX
from desk.topology.table import CASES

_CONTRACT = files("desk.contracts").joinpath("contract.md").read_text(encoding="utf-8")
_DESCRIPTION = _CONTRACT.replace("{file_megabytes}", str(FILE_MEGABYTES_MAX))
_PARAMETER = {"province": {"description": "key of the province, as in GET /api/catalog, or `headquarters`"}}
_SERVER = {
    "host": "{host}:5671",
    "protocol": "amqps",
    "protocolVersion": "0-9-1",
    "description": "RabbitMQ 3.10 or newer; the desk's operator gives its host and each user's password",
    "pathname": "/{vhost}",
    "variables": {
        "host": {"description": "the broker's host name", "default": "broker.example.ir"},
        "vhost": {"description": "the virtual host, percent-encoded", "default": "%2F"},
    },
    "security": [{"$ref": "#/components/securitySchemes/user"}],
}
_SECURITY = {
    "type": "userPassword",
    "description": "A province logs in as `province.<its key>`, headquarters as `headquarters`; see `x-users`.",
}


def document(
    examples: Sequence[Example], vectors: Vectors, services: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Describe every event of ``examples``, and what offices call over HTTP by the OpenAPI documents of ``services``.

    An exchange is a channel's binding, a routing key its address. Extensions have names with ``x-``.
    """
    schemas: dict[str, Any] = {
        **office_rules.route_schemas(services),
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
        "x-users": access.users((each.event.name, each.event.exchange) for each in examples),
        "x-queues": access.queues(),
        "x-states": office_rules.states(),
        "x-reasons": office_rules.reasons(),
        "x-routes": office_rules.routes(services),
    }
    for each in examples:
        event = each.event
        described["channels"][event.name] = _channel(event)
        action = "receive" if event.exchange == CASES else "send"
        described["operations"][f"{action}-{event.name}"] = _operation(action, event)
        described["components"]["messages"][event.name] = _message(event, each.envelope, vectors)
        schemas.update(_schemas(event))
    return described


def _envelope_schemas() -> dict[str, Any]:
    schema = Envelope.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), "Envelope": schema}


def _channel(event: Event) -> dict[str, Any]:
    name, to_headquarters = event.name, event.name in access.FOR_HEADQUARTERS
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
    sender = access.PROVINCE_USER if access.PROVINCE_USER in publish else publish[0]
    usual = {"deliveryMode": 2, "timestamp": True, "userId": sender, "mandatory": True}
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{event.name}"},
        "bindings": {"amqp": usual | ({} if action == "send" else {"ack": True})},
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
