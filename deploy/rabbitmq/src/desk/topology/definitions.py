"""The desk's topology in RabbitMQ's own format, without passwords: those are set when it is applied."""

import json

from pydantic import JsonValue

from desk.chassis.bus.rabbit.layout import Layout, rabbit_layout
from desk.topology.access import NOTHING, User, users
from desk.topology.table import SERVICES, desk_topology

Entry = dict[str, JsonValue]
Definitions = dict[str, list[Entry]]


def desk_layout() -> Layout:
    """Return the desk's exchanges, queues and bindings; services retry with a delay, provinces as they choose."""
    return rabbit_layout(desk_topology(), retried=[queue for service in SERVICES for queue in service.queues])


def definitions(vhost: str = "/") -> Definitions:
    """Return the complete definitions, as RabbitMQ imports and exports them."""
    layout, all_users = desk_layout(), users()
    return {
        "vhosts": [{"name": vhost}],
        "users": [{"name": user.name, "password_hash": "", "tags": []} for user in all_users],
        "permissions": [_permission(user, vhost) for user in all_users],
        "topic_permissions": [entry for user in all_users for entry in _topic_permissions(user, vhost)],
        "exchanges": [
            {"name": name, "vhost": vhost, "type": "topic", "durable": True, "auto_delete": False, "arguments": {}}
            for name in layout.exchanges
        ],
        "queues": [
            {
                "name": queue.name,
                "vhost": vhost,
                "durable": True,
                "auto_delete": False,
                "arguments": dict(sorted(queue.arguments.items())),
            }
            for queue in layout.queues
        ],
        "bindings": [
            {
                "source": binding.exchange,
                "vhost": vhost,
                "destination": binding.queue,
                "destination_type": "queue",
                "routing_key": binding.routing_key,
                "arguments": {},
            }
            for binding in layout.bindings
        ],
    }


def as_json(vhost: str = "/") -> str:
    """Return the definitions as the text of the committed file, one object per line."""
    parts = (
        f' "{kind}": [\n' + ",\n".join(f"  {json.dumps(entry)}" for entry in entries) + "\n ]"
        for kind, entries in definitions(vhost).items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _permission(user: User, vhost: str) -> Entry:
    return {"user": user.name, "vhost": vhost, "configure": NOTHING, "write": user.write, "read": user.read}


def _topic_permissions(user: User, vhost: str) -> list[Entry]:
    return [
        {"user": user.name, "vhost": vhost, "exchange": exchange, "write": keys, "read": NOTHING}
        for exchange, keys in user.keys.items()
    ]
