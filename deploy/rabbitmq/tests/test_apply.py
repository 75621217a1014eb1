"""Applying the table to a real RabbitMQ."""

import json
import re
import uuid

import httpx
import pytest

from desk.topology.apply import without_password
from desk.topology.errors import ConflictError, ManagementError
from desk.topology.main import main
from desk.topology.management import Management


@pytest.fixture
def command(monkeypatch, capsys):
    def command(*words: str, **settings: str) -> str:
        for name in ("management_url", "amqp_url", "vhost", "passwords", "passwords_folder"):
            monkeypatch.delenv(f"DESK_TOPOLOGY_{name.upper()}", raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(f"DESK_TOPOLOGY_{name.upper()}", value)
        main(words)
        return capsys.readouterr().out

    return command


def test_the_first_run_creates_everything_and_the_second_changes_nothing(bare, command):
    settings = {
        "management_url": bare.management_url,
        "vhost": bare.vhost,
        "passwords": json.dumps({"intake": "the password of intake"}),
    }
    first = command("apply", **settings)
    assert "created queue province.isfahan" in first
    assert re.search(
        "without a password, so they cannot log in yet: headquarters, notifier, .*, tracking$", first.strip()
    )
    assert command("apply", **settings).startswith("nothing to change\n")


def test_the_result_equals_an_import_of_the_definitions(bare):
    everything = {**bare.definitions, "rabbit_version": "3.10.0"}
    answer = httpx.post(
        f"{bare.server.management_url}/api/definitions",
        json=everything,
        auth=(bare.server.user, bare.server.password),
        timeout=60,
    )
    assert answer.is_success, answer.text
    permission = {"configure": ".*", "write": ".*", "read": ".*"}
    bare.management.put("permissions", bare.vhost, bare.server.user, body=permission)
    assert bare.apply() == []


def test_differences_are_corrected(desk):
    management, vhost = desk.management, desk.vhost
    [binding] = [
        each
        for each in management.entries("bindings", vhost)
        if each["source"] == "desk.cases" and each["routing_key"] == "case-answered.qom"
    ]
    management.delete("bindings", vhost, "e", "desk.cases", "q", "reports.qom", str(binding["properties_key"]))
    management.post("bindings", vhost, "e", "desk.events", "q", "province.qom", body={"routing_key": "#"})
    too_much = {"configure": ".*", "write": ".*", "read": ".*"}
    management.put("permissions", vhost, "province.qom", body=too_much)
    management.put("users", "intake", body={"password": "another", "tags": "administrator"})
    management.put("users", "notifier", body={"password": "notifier's own long word", "tags": "monitoring"})
    management.put("topic-permissions", vhost, "intake", body={"exchange": "desk.cases", "write": ".*", "read": ".*"})
    changes = desk.apply(intake="intake's own long word", notifier="notifier's own long word")
    assert changes == [
        "bound queue reports.qom to desk.cases by case-answered.qom",
        "unbound queue province.qom from desk.events by #, which is not in the table",
        "changed the password of user intake",
        "took the tags from user notifier",
        "set the permissions of user province.qom",
        "took the routing keys of user intake that are not in the table",
        "set the routing keys of user intake on desk.events",
        "set the routing keys of user intake on desk.delay",
        "set the routing keys of user intake on desk.dead",
    ]
    assert desk.apply() == []
    assert "notifier" not in without_password(management, desk.definitions), "its password is as it was"


def test_a_queue_of_another_application_is_not_touched(desk):
    desk.management.put("queues", desk.vhost, "audit", body={"durable": True, "arguments": {}})
    desk.management.post("bindings", desk.vhost, "e", "desk.events", "q", "audit", body={"routing_key": "#"})
    assert desk.apply() == []
    assert "audit" in {queue["name"] for queue in desk.management.entries("queues", desk.vhost)}
    desk.management.delete("queues", desk.vhost, "audit")


def test_a_queue_with_other_arguments_stops_the_run_before_any_change(bare):
    bare.management.put("vhosts", bare.vhost, body={})
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 5}
    bare.management.put("queues", bare.vhost, "tracking", body={"durable": True, "arguments": arguments})
    with pytest.raises(ConflictError) as conflict:
        bare.apply()
    message = str(conflict.value)
    assert "queue tracking has x-dead-letter-exchange=None instead of desk.dead" in message
    assert "x-delivery-limit=5 instead of 20" in message
    assert "delete it, and apply again" in message
    assert [queue["name"] for queue in bare.management.entries("queues", bare.vhost)] == ["tracking"]


def test_passwords_are_read_from_mounted_secrets(bare, command, tmp_path):
    (tmp_path / "tracking").write_text("read from a file\n")
    (tmp_path / "tracking").chmod(0o440)
    (tmp_path / "..data").mkdir()
    command(
        "apply",
        management_url=bare.management_url,
        vhost=bare.vhost,
        passwords=json.dumps({"tracking": "from the environment"}),
        passwords_folder=str(tmp_path),
    )
    where = bare.server.management_url + "/api/whoami"
    answers = [httpx.get(where, auth=("tracking", word)) for word in ("read from a file", "from the environment")]
    # Without a tag no user may use the API: only the reason shows that the password is right.
    assert [answer.json()["reason"] for answer in answers] == ["Not management user", "Login failed"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "set DESK_TOPOLOGY_MANAGEMENT_URL"),
        ({"management_url": "amqp://a:a-secret-to-hide@127.0.0.1"}, "must be like http://"),
        ({"management_url": "http://a:a-secret-to-hide@127.0.0.1:1"}, "at http://127.0.0.1:1 does not answer"),
        ({"management_url": "http://a:a-secret-to-hide@127.0.0.1:1", "passwords": "secret"}, "passwords"),
        ({"management_url": "http://a:a-secret-to-hide@127.0.0.1:1", "passwords_folder": "/nowhere"}, "cannot read"),
    ],
)
def test_an_error_is_one_line_without_a_secret(command, settings, message):
    with pytest.raises(SystemExit) as stopped:
        command("apply", **settings)
    assert message in str(stopped.value)
    assert "\n" not in str(stopped.value)
    assert "secret" not in str(stopped.value)


def test_a_wrong_password_of_the_administrator_is_one_line(bare):
    with (
        Management(f"http://{uuid.uuid4()}:secret@{httpx.URL(bare.management_url).netloc.decode()}") as stranger,
        pytest.raises(ManagementError, match="refuses user"),
    ):
        stranger.entries("queues")


def test_a_refusal_of_the_broker_includes_its_reason(desk):
    with pytest.raises(ManagementError, match=r"400 .*inequivalent arg"):
        desk.management.put("queues", desk.vhost, "tracking", body={"durable": True, "arguments": {}})
