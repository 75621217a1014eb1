"""The definitions match the table and the committed file."""

import json
import re
from pathlib import Path

import pytest

from desk.chassis.bus.rabbit.layout import DEAD_EXCHANGE, DELAY_EXCHANGE, RETRY_EXCHANGE
from desk.iran.offices import OFFICES
from desk.iran.provinces import PROVINCES
from desk.topology.access import users
from desk.topology.definitions import as_json, definitions
from desk.topology.table import CASES, EVENTS, desk_topology

HERE = Path(__file__).parents[1]
CONTRACT = HERE.parents[1] / "contracts" / "desk.asyncapi.json"
WANTED = definitions()
REPORT_QUEUES = {f"reports.{each.key}" for each in OFFICES}
QUEUES = {queue["name"]: queue["arguments"] for queue in WANTED["queues"]}
USERS = {user.name: user for user in users()}


def test_the_file_matches_what_the_code_generates():
    assert (HERE / "definitions.json").read_text() == as_json(), (
        "run: desk-topology definitions --write definitions.json"
    )


def test_no_password_is_in_the_file():
    assert all(user["password_hash"] == "" for user in json.loads(as_json())["users"])


@pytest.mark.parametrize("name", [queue.name for queue in desk_topology().queues])
def test_every_queue_has_a_dead_letter_queue_with_safe_transfer(name):
    arguments = QUEUES[name]
    assert (arguments["x-queue-type"], arguments["x-overflow"], arguments["x-dead-letter-strategy"]) == (
        "quorum",
        "reject-publish",
        "at-least-once",
    ), "one without the other loses dead letters"
    assert arguments["x-delivery-limit"] == 20
    [binding] = [each for each in WANTED["bindings"] if each["destination"] == f"{name}.dead"]
    assert (binding["source"], binding["routing_key"]) == (
        arguments["x-dead-letter-exchange"],
        arguments["x-dead-letter-routing-key"],
    )


def test_all_retries_use_four_delay_queues():
    waits = {name: arguments["x-message-ttl"] for name, arguments in QUEUES.items() if name.startswith("delay.")}
    assert waits == {"delay.5s": 5_000, "delay.1m": 60_000, "delay.10m": 600_000, "delay.1h": 3_600_000}


def test_no_user_may_declare_anything_or_has_a_tag():
    assert {permission["configure"] for permission in WANTED["permissions"]} == {"^$"}
    assert [user["tags"] for user in WANTED["users"]] == [[]] * len(WANTED["users"])


@pytest.mark.parametrize("key", [each.key for each in PROVINCES])
def test_a_province_reads_its_queue_and_writes_its_reports(key):
    user = USERS[f"province.{key}"]
    assert [name for name in QUEUES if re.search(user.read, name)] == [f"province.{key}"]
    assert [each["name"] for each in WANTED["exchanges"] if re.search(user.write, each["name"])] == [CASES]
    assert re.search(user.keys[CASES], f"case-answered.{key}")
    others = [each.key for each in PROVINCES if each.key != key]
    assert not any(re.search(user.keys[CASES], f"case-answered.{other}") for other in others)


@pytest.mark.parametrize(
    ("user", "writes", "reads"),
    [
        ("intake", {EVENTS, DELAY_EXCHANGE, DEAD_EXCHANGE}, {"intake"}),
        ("tracking", {EVENTS, DELAY_EXCHANGE, DEAD_EXCHANGE}, {"tracking", *REPORT_QUEUES}),
        ("notifier", {EVENTS, DELAY_EXCHANGE, DEAD_EXCHANGE}, {"notifier"}),
        ("operator", {RETRY_EXCHANGE}, {name for name in QUEUES if name.endswith(".dead")}),
    ],
)
def test_every_other_user_has_the_fewest_permissions(user, writes, reads):
    exchanges = {each["name"] for each in WANTED["exchanges"]} | {"", "amq.default", "amq.topic"}
    assert {name for name in exchanges if re.search(USERS[user].write, name)} == writes
    assert {name for name in QUEUES if re.search(USERS[user].read, name)} == reads
    assert set(USERS[user].keys) == writes, "each exchange is narrowed to routing keys"


def test_every_event_of_the_contract_may_be_published_by_a_user():
    for channel in json.loads(CONTRACT.read_text())["channels"].values():
        exchange = channel["bindings"]["amqp"]["exchange"]["name"]
        key = channel["address"].replace("{province}", "south-khorasan")
        assert any(re.search(user.keys[exchange], key) for user in users() if exchange in user.keys), key


def test_every_dead_letter_expires_after_thirty_days():
    dead = {
        entry["name"]: entry["arguments"] for entry in definitions("/")["queues"] if entry["name"].endswith(".dead")
    }
    assert {"tracking.dead", "province.qom.dead", "reports.qom.dead", "headquarters.dead"} <= dead.keys()
    assert {arguments["x-message-ttl"] for arguments in dead.values()} == {30 * 86_400 * 1000}
