"""The contract of events as a page for people: the same document, in Persian with the English terms."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from desk.iran.digits import to_persian
from desk.local.gateway_table import GATEWAY
from desk.topology.table import CASES, TO_PROVINCES

Document = Mapping[str, Any]

STYLES = ("tokens", "base", "help", "contract")
TITLES = {
    "request-submitted": "درخواست تازه",
    "request-referred": "درخواستی که به استان شما ارجاع شده است",
    "request-replied": "پاسخ متقاضی به پرسش کارشناس",
    "request-objected": "اعتراض متقاضی به پاسخ",
    "request-withdrawn": "انصراف متقاضی",
    "request-rated": "امتیاز متقاضی به پاسخ",
    "request-overdue": "گذشتن مهلت پاسخ",
    "case-refused": "گزارش استان پذیرفته نشد",
    "case-received": "درخواست به استان رسید",
    "case-assigned": "کارشناس پرونده را برداشت",
    "case-info-requested": "پرسش از متقاضی",
    "case-answered": "پاسخ کارشناس",
    "case-rejected": "رد درخواست",
    "case-referred": "ارجاع به استان یا موضوع دیگر",
    "request-pending": "درخواستی که هویت متقاضی آن هنوز تأیید نشده است",
    "request-pending-withdrawn": "انصراف متقاضی پیش از تأیید هویت",
    "request-identity-rejected": "هویت متقاضی تأیید نشد",
    "request-status-changed": "وضعیت تازهٔ درخواست",
    "request-escalated": "گذشتن دوبارهٔ مهلت، برای ستاد",
    "province-silent": "استانی که خبری از آن نیست، برای ستاد",
}
"""What each event is called in Persian; one without a name cannot be published."""


def page(document: Document, *, whole: bool) -> str:
    """Render the page. ``whole`` has its styles inside and opens without a server; else it is one of the desk's."""
    pages = Environment(
        loader=PackageLoader("desk.local"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    events = [_event(document, name) for name in document["channels"]]
    sent = [each for each in events if each["name"] in TO_PROVINCES]
    reported = [each for each in events if each["exchange"] == CASES]
    return pages.get_template("contract.html").render(
        style=_style() if whole else None,
        styles=STYLES,
        server=document["servers"]["broker"],
        users=document["x-users"],
        deliveries=to_persian(document["x-queues"]["province.{province}"]["arguments"]["x-delivery-limit"]),
        parts=[
            {"id": name, "fields": list(_fields(document, document["components"]["schemas"][name], ""))}
            for name in ("Envelope", "EventProperties", "ReportProperties", "EventHeaders")
        ],
        groups=[
            {"id": "to-provinces", "title": "از میز خدمت به استان", "events": _in_order(sent)},
            {"id": "from-provinces", "title": "از استان به میز خدمت", "events": _in_order(reported)},
            {
                "id": "others",
                "title": "رویدادهایی که به استان نمی‌رسد",
                "events": _in_order([each for each in events if each not in sent and each not in reported]),
            },
        ],
    )


def _style() -> str:
    folder = GATEWAY / "web" / "assets" / "css"
    return "".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)


def _in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = list(TITLES)
    return sorted(events, key=lambda event: names.index(event["name"]))


def _event(document: Document, name: str) -> dict[str, Any]:
    channel, message = document["channels"][name], document["components"]["messages"][name]
    operation = next(each for each in document["operations"].values() if each["channel"]["$ref"].endswith(f"/{name}"))
    data = message["payload"]["allOf"][1]["properties"]["data"]
    return {
        "name": name,
        "title": TITLES[name],
        "description": channel["description"].replace("``", ""),
        "type": message["name"],
        "exchange": channel["bindings"]["amqp"]["exchange"]["name"],
        "address": channel["address"],
        "queues": channel["x-queues"],
        "permissions": operation["x-permissions"],
        "fields": list(_fields(document, data, "")),
        "example": json.dumps(message["examples"][0]["payload"], ensure_ascii=False, indent=2),
    }


def _fields(document: Document, schema: Document, path: str) -> Iterator[dict[str, Any]]:
    """List the fields of an object, those of its parts under their own names."""
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
