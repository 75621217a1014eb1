"""Events only grow within a version: nothing that was published is removed or changed."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from desk.contracts.documents import FOLDER
from desk.iran.provinces import PROVINCES
from desk.topology.table import office_queue

FREE = {"description", "title", "example", "examples", "info"}
"""Texts for people, which may be improved."""
ADVICE = "/x-reasons/"
"""Where the texts about refusals stand, each under its reason, which stays."""
USER_PATTERN = "/components/schemas/ReportProperties/properties/user_id/pattern"
"""The users that may report, as a regular expression. It may accept more of them."""


OF_PROVINCES = "province."
"""How the names of the queues begin that provinces consume."""

BY_PROVINCES = {"Envelope", "ReportProperties", "ReportHeaders"}
"""Schemas of what provinces send, in addition to those of their reports."""


def losses(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """List what was published and is now missing or different."""
    match old, new:
        case dict(), dict():
            for name, value in old.items():
                # A property may have the same name as a text for people.
                if name in FREE and not where.endswith("/properties"):
                    continue
                if where == "/x-queues" and not name.startswith(OF_PROVINCES):
                    continue
                if name not in new:
                    yield f"{where}/{name}"
                else:
                    yield from losses(value, new[name], f"{where}/{name}")
        case list(), list():
            own = where.endswith("/x-queues")  # the queues of an event; those of the desk's services may change
            kept = [each for each in old if not own or each.startswith(OF_PROVINCES)]
            yield from (f"{where}: {json.dumps(each)}" for each in kept if each not in new)
        case _ if where.startswith(ADVICE):
            pass
        case _ if where == USER_PATTERN:
            users = [office_queue(each.key) for each in PROVINCES]
            yield from (f"{where}: {user}" for user in users if re.search(old, user) and not re.search(new, user))
        case _ if old != new:
            yield f"{where}: {old!r} became {new!r}"


def new_requirements(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """List the fields that provinces could leave out and must send now, including new fields of their reports."""
    schemas = new["components"]["schemas"]
    for name, schema in old["components"]["schemas"].items():
        more = set(schemas.get(name, {}).get("required", [])) - set(schema.get("required", []))
        reported = name in BY_PROVINCES or (name.startswith("Case") and name != "CaseRefusedData")
        counted = more if reported else more & schema.get("properties", {}).keys()
        yield from (f"{name} now needs {field}" for field in sorted(counted))


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / "published" / "desk.asyncapi.json").read_text(encoding="utf-8"))
    return document


def test_nothing_that_was_published_is_missing(published):
    present = json.loads((FOLDER / "desk.asyncapi.json").read_text(encoding="utf-8"))

    assert list(losses(published, present)) == []
    assert list(new_requirements(published, present)) == []


def test_an_addition_passes(published):
    grown = deepcopy(published)
    grown["channels"]["request-praised"] = {}
    grown["components"]["schemas"]["Named"]["properties"]["flag"] = {"type": "string"}
    grown["info"]["description"] = "better words"

    assert list(losses(published, grown)) == []


def test_what_is_removed_changed_or_newly_required_is_noticed(published):
    changed = deepcopy(published)
    del changed["channels"]["case-answered"]
    del changed["components"]["schemas"]["Named"]["properties"]["name"]
    changed["components"]["schemas"]["Titled"]["properties"]["title"]["type"] = "integer"
    changed["components"]["schemas"]["CaseAnsweredData"]["required"] += ["files", "signature"]

    found = " ".join(losses(published, changed))

    assert "/channels/case-answered" in found
    assert "/Named/properties/name" in found
    assert "/Titled/properties/title/type" in found
    assert list(new_requirements(published, changed)) == [
        "CaseAnsweredData now needs files",
        "CaseAnsweredData now needs signature",
    ]


def test_a_removed_permission_queue_or_header_is_noticed(published):
    changed = deepcopy(published)
    changed["operations"]["receive-case-answered"]["x-permissions"]["publish"] = []
    changed["x-users"]["province.{province}"]["publishes"]["desk.cases"].remove("case-answered.{province}")
    changed["x-queues"]["province.{province}"]["bindings"].pop()
    changed["x-queues"]["province.{province}"]["arguments"]["x-delivery-limit"] = 3
    del changed["components"]["schemas"]["EventHeaders"]["properties"]["desk-tries"]
    changed["components"]["schemas"]["EventProperties"]["required"].remove("message_id")
    changed["components"]["schemas"]["ReportProperties"]["properties"]["user_id"]["pattern"] = r"^province\.isfahan$"
    del changed["x-reasons"]["erased"]

    found = " ".join(losses(published, changed))

    assert "/receive-case-answered/x-permissions/publish" in found
    assert f"{USER_PATTERN}: province.qom" in found
    assert "/x-reasons/erased" in found
    assert "/x-users/province.{province}/publishes/desk.cases" in found
    assert "/x-queues/province.{province}/bindings" in found
    assert "/x-delivery-limit: 20 became 3" in found
    assert "/EventHeaders/properties/desk-tries" in found
    assert "/EventProperties/required" in found


def test_a_property_or_header_that_provinces_suddenly_must_send_is_noticed(published):
    changed = deepcopy(published)
    changed["components"]["schemas"]["ReportProperties"]["required"].append("correlation_id")
    changed["components"]["schemas"]["ReportHeaders"]["required"] = ["signature"]

    assert list(new_requirements(published, changed)) == [
        "ReportHeaders now needs signature",
        "ReportProperties now needs correlation_id",
    ]
