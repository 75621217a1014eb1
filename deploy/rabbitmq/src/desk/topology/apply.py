"""Brings a running RabbitMQ to the definitions: creates what is missing, corrects what differs, deletes no queue."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from desk.topology.definitions import Definitions, Entry
from desk.topology.errors import ConflictError
from desk.topology.management import Management

_HASHES = {"rabbit_password_hashing_sha256": hashlib.sha256, "rabbit_password_hashing_sha512": hashlib.sha512}
_SALT_BYTES = 4


def apply(management: Management, wanted: Definitions, passwords: Mapping[str, str]) -> Iterator[str]:
    """Make each necessary change and describe it. Raises ConflictError before the first change, or ManagementError."""
    [vhost] = [str(entry["name"]) for entry in wanted["vhosts"]]
    if vhost not in _names(management.entries("vhosts")):
        management.put("vhosts", vhost, body={})
        yield f"created virtual host {vhost}"
    exchanges = _missing(management.entries("exchanges", vhost), wanted["exchanges"], "exchange")
    queues = _missing(
        management.entries("queues", vhost, columns="name,durable,auto_delete,arguments"), wanted["queues"], "queue"
    )
    for kind, entries in (("exchange", exchanges), ("queue", queues)):
        for entry in entries:
            body = {key: value for key, value in entry.items() if key not in {"name", "vhost"}}
            management.put(f"{kind}s", vhost, str(entry["name"]), body=body)
            yield f"created {kind} {entry['name']}"
    yield from _bindings(management, vhost, wanted)
    yield from _users(management, wanted["users"], passwords)
    yield from _permissions(management, vhost, wanted["permissions"])
    yield from _topic_permissions(management, vhost, wanted)


def without_password(management: Management, wanted: Definitions) -> list[str]:
    """Return the users who cannot log in yet."""
    ours = _names(wanted["users"])
    return sorted(
        str(user["name"])
        for user in management.entries("users")
        if user["name"] in ours and not user.get("password_hash")
    )


def _missing(there: Iterable[Entry], wanted: Iterable[Entry], kind: str) -> list[Entry]:
    by_name = {entry["name"]: entry for entry in there}
    missing = [entry for entry in wanted if entry["name"] not in by_name]
    differing = [
        f"{kind} {entry['name']} has {', '.join(differences)}"
        for entry in wanted
        if entry["name"] in by_name and (differences := list(_differences(by_name[entry["name"]], entry)))
    ]
    if differing:
        raise ConflictError(
            f"{'; '.join(differing)}. None of this can be changed in place, and nothing was: let its consumers empty "
            f"the {kind}, or move its messages elsewhere, delete it, and apply again"
        )
    return missing


def _differences(there: Entry, wanted: Entry) -> Iterator[str]:
    for key in ("type", "durable", "auto_delete"):
        if key in wanted and there.get(key) != wanted[key]:
            yield f"{key}={there.get(key)} instead of {wanted[key]}"
    has, should = there.get("arguments") or {}, wanted["arguments"]
    if isinstance(has, dict) and isinstance(should, dict):
        for key in sorted(has.keys() | should.keys()):
            if has.get(key) != should.get(key):
                yield f"{key}={has.get(key)} instead of {should.get(key)}"


def _bindings(management: Management, vhost: str, wanted: Definitions) -> Iterator[str]:
    exchanges, queues = _names(wanted["exchanges"]), _names(wanted["queues"])
    there = {
        _route(entry): str(entry["properties_key"])
        for entry in management.entries("bindings", vhost)
        if entry["source"] in exchanges and entry["destination_type"] == "queue" and entry["destination"] in queues
    }
    should = {_route(entry) for entry in wanted["bindings"]}
    for exchange, queue, key in sorted(should - there.keys()):
        management.post("bindings", vhost, "e", exchange, "q", queue, body={"routing_key": key, "arguments": {}})
        yield f"bound queue {queue} to {exchange} by {key}"
    for route in sorted(there.keys() - should):
        exchange, queue, key = route
        management.delete("bindings", vhost, "e", exchange, "q", queue, there[route])
        yield f"unbound queue {queue} from {exchange} by {key}, which is not in the table"


def _users(management: Management, wanted: Iterable[Entry], passwords: Mapping[str, str]) -> Iterator[str]:
    there = {entry["name"]: entry for entry in management.entries("users")}
    for entry in wanted:
        name = str(entry["name"])
        user, password = there.get(name), passwords.get(name)
        if user is None:
            secret: Entry = {"password": password} if password else {"password_hash": ""}
            management.put("users", name, body={**secret, "tags": ""})
            yield f"created user {name}"
        elif password and not _is_password(user, password):
            management.put("users", name, body={"password": password, "tags": ""})
            yield f"changed the password of user {name}"
        elif user.get("tags"):
            kept: Entry = {key: user[key] for key in ("password_hash", "hashing_algorithm") if key in user}
            management.put("users", name, body={**kept, "tags": ""})
            yield f"took the tags from user {name}"


def _is_password(user: Entry, password: str) -> bool:
    digest = _HASHES.get(str(user.get("hashing_algorithm")))
    salted = base64.b64decode(str(user.get("password_hash") or ""))
    if digest is None:
        return False
    salt = salted[:_SALT_BYTES]
    return salted[_SALT_BYTES:] == digest(salt + password.encode()).digest()


def _permissions(management: Management, vhost: str, wanted: Iterable[Entry]) -> Iterator[str]:
    there = {entry["user"]: entry for entry in management.entries("permissions") if entry["vhost"] == vhost}
    for entry in wanted:
        name = str(entry["user"])
        should: Entry = {key: entry[key] for key in ("configure", "write", "read")}
        if not _has(there.get(name), should):
            management.put("permissions", vhost, name, body=should)
            yield f"set the permissions of user {name}"


def _topic_permissions(management: Management, vhost: str, wanted: Definitions) -> Iterator[str]:
    ours = _names(wanted["users"])
    there = {
        (str(entry["user"]), str(entry["exchange"])): entry
        for entry in management.entries("topic-permissions")
        if entry["vhost"] == vhost and entry["user"] in ours
    }
    should = {(str(entry["user"]), str(entry["exchange"])): entry for entry in wanted["topic_permissions"]}
    # RabbitMQ deletes them only all together; those that stay are set again below.
    for name in sorted({user for user, _ in there.keys() - should.keys()}):
        management.delete("topic-permissions", vhost, name)
        there = {at: entry for at, entry in there.items() if at[0] != name}
        yield f"took the routing keys of user {name} that are not in the table"
    for (name, exchange), entry in should.items():
        body: Entry = {key: entry[key] for key in ("exchange", "write", "read")}
        if not _has(there.get((name, exchange)), body):
            management.put("topic-permissions", vhost, name, body=body)
            yield f"set the routing keys of user {name} on {exchange}"


def _has(there: Entry | None, should: Entry) -> bool:
    return there is not None and all(there.get(key) == value for key, value in should.items())


def _route(entry: Entry) -> tuple[str, str, str]:
    return str(entry["source"]), str(entry["destination"]), str(entry["routing_key"])


def _names(entries: Iterable[Entry]) -> set[JsonValue]:
    return {entry["name"] for entry in entries}
