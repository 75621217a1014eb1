"""The contract of events as a page for people: the document with the texts of ``[contract]`` in a catalogue."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from desk.contracts.catalogues import FIRST, catalogues
from desk.contracts.pages import render
from desk.iran.digits import to_persian
from desk.local.gateway_table import CHECKOUT, GATEWAY
from desk.topology.table import FROM_OFFICES, TO_OFFICES

Document = Mapping[str, Any]

STYLES = ("tokens", "base", "help", "contract")
"""For the stand-alone page."""
PROGRAM = CHECKOUT / "tests" / "web" / "examples" / "events.mjs"
"""The program for Node.js that the page shows; a test runs it on the encrypted examples."""
PARTS = ("Envelope", "Jwe", "EventProperties", "ReportProperties", "EventHeaders")


def page(document: Document, language: str, *, whole: bool) -> str:
    """Render the page. ``whole`` includes the styles, so that it opens without a server.

    Raises ValueError for an event without a name in this language.
    """
    events = [_event(document, name) for name in document["channels"]]
    if unnamed := {each["name"] for each in events} - set(catalogues()[language]["contract"]["events"]):
        raise ValueError(f"gateway/words/{language}.toml does not name {', '.join(sorted(unnamed))}")
    sent = [each for each in events if each["name"] in TO_OFFICES]
    reported = [each for each in events if each["name"] in FROM_OFFICES]
    others = [each for each in events if each not in sent and each not in reported]
    deliveries = str(document["x-queues"]["province.{province}"]["arguments"]["x-delivery-limit"])
    return render(
        language,
        "contract-alone" if whole else "contract",
        "contract",
        style=_style() if whole else "",
        server=document["servers"]["broker"],
        users=document["x-users"],
        states=document["x-states"],
        reasons=document["x-reasons"],
        deliveries=to_persian(deliveries) if language == "fa" else deliveries,
        encrypted=_json(document["components"]["messages"]["request-submitted"]["examples"][0]["payload"]),
        program=PROGRAM.read_text(encoding="utf-8"),
        parts={name: list(_fields(document, document["components"]["schemas"][name], "")) for name in PARTS},
        groups=[
            {"id": name, "events": _in_order(listed)}
            for name, listed in (("to-provinces", sent), ("from-provinces", reported), ("others", others))
        ],
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _style() -> str:
    folder = GATEWAY / "web" / "assets" / "css"
    return "".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)


def _in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = list(catalogues()[FIRST]["contract"]["events"])
    return sorted(events, key=lambda event: names.index(event["name"]))


def _event(document: Document, name: str) -> dict[str, Any]:
    channel, message = document["channels"][name], document["components"]["messages"][name]
    operation = next(each for each in document["operations"].values() if each["channel"]["$ref"].endswith(f"/{name}"))
    decrypted = message["x-decrypted"]
    return {
        "name": name,
        "description": channel["description"].replace("``", ""),
        "type": message["name"],
        "exchange": channel["bindings"]["amqp"]["exchange"]["name"],
        "address": channel["address"],
        "queues": channel["x-queues"],
        "permissions": operation["x-permissions"],
        "fields": list(_fields(document, decrypted["data"], "")),
        "example": _json(decrypted["example"]),
    }


def _fields(document: Document, schema: Document, path: str) -> Iterator[dict[str, Any]]:
    """List the fields of an object, with nested fields under their full names."""
    shape = _resolved(document, schema)
    for name, part in shape.get("properties", {}).items():
        inner = _resolved(document, part)
        yield {
            "path": f"{path}{name}",
            "kind": _kind(document, part),
            "required": name in shape.get("required", []),
            "note": inner.get("description", "").replace("`", "") if "properties" not in inner else "",
        }
        for deeper, mark in _parts(document, part):
            yield from _fields(document, deeper, f"{path}{name}{mark}")


def _parts(document: Document, schema: Document) -> Iterator[tuple[Document, str]]:
    shape = _resolved(document, schema)
    if "properties" in shape:
        yield shape, "."
    elif "items" in shape:
        yield _resolved(document, shape["items"]), "[]."
    for choice in shape.get("anyOf", []):
        yield from _parts(document, choice)


def _kind(document: Document, schema: Document) -> str:
    shape = _resolved(document, schema)
    if "anyOf" in shape:
        return " | ".join(_kind(document, each) for each in shape["anyOf"])
    if "const" in shape:
        return json.dumps(shape["const"], ensure_ascii=False)
    if "enum" in shape:
        return " | ".join(json.dumps(each, ensure_ascii=False) for each in shape["enum"])
    if "items" in shape:
        return f"{_kind(document, shape['items'])}[]"
    limits = [f"{name} {shape[key]}" for key, name in _LIMITS.items() if key in shape]
    return ", ".join([str(shape.get("format", shape.get("type", "any"))), *limits])


_LIMITS = {"minLength": "≥", "maxLength": "≤", "minimum": "≥", "maximum": "≤", "pattern": "~"}


def _resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema
