"""``desk.asyncapi.json`` is valid AsyncAPI, has no dangling references, and matches the tables it is made from."""

import json
import re
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from support.embedded_desk import RunningDesk

from desk.contracts import documents as contracts
from desk.contracts.catalogues import catalogues
from desk.contracts.contract_page import page
from desk.iran.offices import HEADQUARTERS
from desk.iran.provinces import PROVINCES
from desk.local.gateway_table import GATEWAY, LANGUAGES
from desk.topology.access import users
from desk.topology.table import CASES, EVENTS, desk_topology

OFFICIAL = Path(__file__).parents[1] / "asyncapi/node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((contracts.FOLDER / "desk.asyncapi.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    if shutil.which("npm") is None:
        pytest.skip("AsyncAPI's schema comes from npm, which is not installed")
    assert OFFICIAL.exists(), "run tests/asyncapi/install"
    return Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def test_the_document_is_valid_by_the_schema_of_asyncapi(contract, official):
    assert [f"{each.json_path}: {each.message[:200]}" for each in official.iter_errors(contract)] == []


@pytest.mark.parametrize("spoil", ["info", "action", "exchange", "headers"])
def test_an_invalid_document_is_rejected(contract, official, spoil):
    wrong = deepcopy(contract)
    match spoil:
        case "info":
            del wrong["info"]["title"]
        case "action":
            wrong["operations"]["receive-case-answered"]["action"] = "take"
        case "exchange":
            del wrong["channels"]["case-answered"]["bindings"]["amqp"]["exchange"]
        case "headers":
            wrong["components"]["messages"]["case-answered"]["headers"] = 7
    assert list(official.iter_errors(wrong))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_every_reference_can_be_resolved(contract):
    references = set(_references(contract))
    assert len(references) > 40
    for reference in references:
        assert _at(contract, reference), reference


def test_every_event_has_a_channel_a_message_and_one_operation(contract):
    channels = {each["channel"]["$ref"].rpartition("/")[2] for each in contract["operations"].values()}
    assert channels == contract["channels"].keys() == contract["components"]["messages"].keys()
    assert len(contract["operations"]) == len(channels) == len(contracts.examples())


def _payload(contract: dict[str, Any], name: str) -> Draft202012Validator:
    schema = {"components": contract["components"], **contract["components"]["messages"][name]["payload"]}
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", [each.event.name for each in contracts.examples()])
def test_every_example_matches_its_schema_and_a_broken_one_does_not(contract, name):
    [example] = contract["components"]["messages"][name]["examples"]
    _payload(contract, name).validate(example["payload"])
    needed = contract["components"]["schemas"]
    for path in (needed["Envelope"]["required"][:1], *(["data", each] for each in needed["Jwe"]["required"])):
        wrong = deepcopy(example["payload"])
        _at(wrong, "/".join(path[:-1])).pop(path[-1]) if path[:-1] else wrong.pop(path[-1])
        assert list(_payload(contract, name).iter_errors(wrong)), path


@pytest.mark.parametrize("name", [each.event.name for each in contracts.examples()])
def test_every_decrypted_example_matches_its_schema_and_a_broken_one_does_not(contract, name):
    decrypted = contract["components"]["messages"][name]["x-decrypted"]
    validator = Draft202012Validator({"components": contract["components"], **decrypted["data"]})
    validator.validate(decrypted["example"]["data"])
    for missing in _at(contract, decrypted["data"]["$ref"])["required"]:
        wrong = decrypted["example"]["data"].copy()
        del wrong[missing]
        assert list(validator.iter_errors(wrong)), missing


def test_the_permissions_are_those_of_the_broker_for_every_province(contract):
    all_users = {user.name: user for user in users()}
    for said in contract["operations"].values():
        name = said["channel"]["$ref"].rpartition("/")[2]
        channel = contract["channels"][name]
        exchange = channel["bindings"]["amqp"]["exchange"]["name"]
        for key in (each.key for each in PROVINCES):
            addresses = {channel["address"].replace("{province}", office) for office in (key, HEADQUARTERS.key)}
            routed = {address: list(desk_topology().route(exchange, address)) for address in addresses}
            queues = {queue for found in routed.values() for queue in found}
            assert sorted(queues) == sorted(each.replace("{province}", key) for each in channel["x-queues"])
            may_publish = {
                user.name
                for user in all_users.values()
                for address, found in routed.items()
                if found and exchange in user.keys and re.search(user.keys[exchange], address)
            }
            may_consume = {
                user.name for user in all_users.values() if any(re.search(user.read, queue) for queue in queues)
            }
            assert may_publish == {each.replace("{province}", key) for each in said["x-permissions"]["publish"]}
            assert may_consume == {each.replace("{province}", key) for each in said["x-permissions"]["consume"]}


def test_a_province_may_publish_its_reports_and_no_event_of_the_desk(contract):
    said = contract["x-users"]["province.{province}"]
    assert said["publishes"].keys() == {CASES}
    assert EVENTS not in said["publishes"]
    assert said["consumes"] == ["province.{province}"]
    assert said["declares"] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_describes_every_event_and_uses_no_other_host(contract, language: str):
    for whole in (True, False):
        text = page(contract, language, whole=whole)
        for name, title in catalogues()[language]["contract"]["events"].items():
            assert f'id="{name}"' in text
            assert title in text
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)
        assert "<script" not in text
        assert not re.search(r"[{](?:deliveries|protocol|name)[}]", text)
        assert ("<style" in text) is whole


def test_an_event_without_a_name_for_people_cannot_be_published(contract):
    grown = deepcopy(contract)
    grown["channels"]["request-praised"] = grown["channels"]["request-rated"]
    grown["components"]["messages"]["request-praised"] = grown["components"]["messages"]["request-rated"]
    grown["operations"]["send-request-praised"] = {
        **grown["operations"]["send-request-rated"],
        "channel": {"$ref": "#/channels/request-praised"},
    }
    with pytest.raises(ValueError, match=r"fa\.toml does not name request-praised"):
        page(grown, "fa", whole=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_desk_serves_the_page_and_the_document(desk: RunningDesk, contract, language: str):
    shown = desk.client.get("/contract", params={"lang": language})
    wanted = (GATEWAY / "web" / language / "contract.html").read_text(encoding="utf-8")
    assert (shown.status_code, shown.text) == (200, wanted)
    document = desk.client.get("/contract.json")
    assert document.headers["content-type"].startswith("application/json")
    assert document.json() == contract
