"""The test kit on a real RabbitMQ: a good consumer passes, and each mistake is found where it shows."""

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit

import aio_pika
import httpx
import pytest

from desk.expert_kit.assertions import ADVICE
from desk.expert_kit.checks import CHECKS
from desk.expert_kit.contract import Contract
from desk.expert_kit.desk import APP_ID
from desk.expert_kit.program import relevant

EXPERT = Path(__file__).parents[2] / "expert"
CONSUMERS = Path(__file__).with_name("consumers.py")
NODE_CONSUMER = Path(__file__).parents[2] / "tests" / "web" / "examples" / "office.mjs"
CHECK_SECONDS = 200


@pytest.fixture
def broker(rabbit_server):
    """A RabbitMQ for trials, as a province would have one: nothing of the desk is there."""
    vhost, auth = f"kit-{uuid.uuid4()}", (rabbit_server.user, rabbit_server.password)
    api = f"{rabbit_server.management_url}/api"
    httpx.put(f"{api}/vhosts/{vhost}", auth=auth, timeout=60).raise_for_status()
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    httpx.put(f"{api}/permissions/{vhost}/{auth[0]}", json=rights, auth=auth, timeout=60).raise_for_status()
    place = urlsplit(rabbit_server.amqp_url)
    yield f"amqp://{quote(auth[0])}:{quote(auth[1])}@{place.hostname}:{place.port}/{vhost}"
    httpx.delete(f"{api}/vhosts/{vhost}", auth=auth, timeout=60)


@pytest.fixture
def check(broker, tmp_path):
    """Run ``desk-expert check`` on a command, as its engineers do; give the exit code and what was said, by check."""

    def run(*command, patience=8, curve="X25519", office="isfahan"):
        options = ["--broker", broker, "--province", office, "--patience", str(patience), "--curve", curve]
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "desk.expert_kit.main", "check", *options, "--", *command],
            env=os.environ | {"FOLDER": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
        found = re.findall(r"^  (ok|FAIL|--) +([a-z ]+): (.*(?:\n {8}.*)*)", done.stdout, re.MULTILINE)
        said = {name: (verdict, text) for verdict, name, text in found}
        assert said or done.returncode == 2, done.stdout + done.stderr
        return done, said

    return run


def publish(broker, message):
    """Publish a message to the queue of the province."""

    async def connected():
        async with await aio_pika.connect(broker) as connection:
            channel = await connection.channel()
            await channel.default_exchange.publish(message, "province.isfahan")

    asyncio.run(connected())


def waiting(broker):
    """Count the messages in the queue of the province and in its dead letters."""

    async def connected():
        async with await aio_pika.connect(broker) as connection:
            channel = await connection.channel()
            names = ("province.isfahan", "province.isfahan.dead")
            queues = [await channel.declare_queue(name, passive=True) for name in names]
            return {queue.name: queue.declaration_result.message_count for queue in queues}

    return asyncio.run(connected())


def failed(said):
    return {name for name, (verdict, _) in said.items() if verdict == "FAIL"}


@pytest.mark.parametrize("office", ["isfahan", "headquarters"])
def test_the_example_of_the_readme_passes(check, office):
    (program,) = re.findall(r"```python\n(.*?)```", (EXPERT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(program.splitlines()) <= 30

    done, said = check(sys.executable, "-c", program, patience=20, office=office)

    assert failed(said) == set(), done.stdout
    assert (done.returncode, len(said)) == (0, len(CHECKS))
    assert "no file was downloaded" not in done.stdout
    assert "note: " not in done.stdout


def test_the_consumer_in_node_passes(check):
    node = shutil.which("node")
    if node is None or not (NODE_CONSUMER.parents[1] / "node_modules" / "amqplib").exists():
        pytest.skip("needs Node 20, and amqplib and jose from npm: run tests/web/install")

    done, said = check(node, NODE_CONSUMER, patience=20)

    assert failed(said) == set(), done.stdout
    assert (done.returncode, len(said)) == (0, len(CHECKS))
    assert "note: " not in done.stdout


MISTAKES = {
    "reads nothing": ({"connects"}, "it ended with exit code 0"),
    "takes without acks": ({"connects"}, "without acknowledgements"),
    "never acks": ({"request"}, "was delivered and not acknowledged"),
    "acks before handling": ({"killed at report", "killed at ack"}, "the case is lost"),
    "answers twice": ({"duplicates", "stale events"}, "store the id of each handled event"),
    "answers objections": ({"objections"}, "decided without a supervisor: case-answered"),
    "keeps erased data": ({"erasure"}, "no case-erased with the certificate_id"),
    "dies of an unknown field": ({"unknown fields"}, "the consumer ended with exit code 3"),
    "answers in another shape": ({"reports"}, "'tracking_code' is a required property"),
    "gives back what it cannot read": ({"unreadable", "encryption"}, "was requeued"),
    "handles moved data": ({"encryption"}, "the encrypted data of another event was handled"),
    "answers in clear": ({"reports", "erasure"}, "data: the data is no JWE of the contract"),
    "decrypts with the wrong key": ({"request"}, "it is encrypted for the key of EVENT_PRIVATE_KEY"),
    "has no former key": ({"rotation"}, "keep the former key (FORMER_EVENT_PRIVATE_KEY)"),
    "reads the first recipient": ({"rotation"}, "choose the recipient whose kid is the thumbprint"),
    "works on stale events": ({"stale events"}, "was reported on again: case-assigned"),
    "publishes without mandatory": ({"mandatory", "returned report"}, "set mandatory in basic.publish"),
    "publishes without confirms": ({"confirms", "returned report"}, "confirm.select"),
    "ignores returned reports": ({"returned report"}, "treat a returned report like one that is not confirmed"),
    "has no prefetch limit": ({"prefetch"}, "call basic.qos with prefetch_count 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_where_it_shows_and_nowhere_else(check, mistake):
    checks, reason = MISTAKES[mistake]

    done, said = check(sys.executable, CONSUMERS, mistake)

    assert checks <= failed(said), done.stdout
    assert failed(said) <= checks | {"reports"}, done.stdout
    assert reason in done.stdout
    assert all("do: " in said[name][1] for name in checks)
    assert done.returncode == 1


@pytest.mark.parametrize("part", ["header", "token", "alg", "signature", "iss", "aud", "exp", "iat", "jti"])
def test_a_refused_assertion_is_reported_with_its_wrong_part(check, part):
    done, said = check(sys.executable, CONSUMERS, f"has an assertion with a wrong {part}", patience=4)

    assert failed(said) == {"request"}, done.stdout
    assert f"a call for a file was refused with 401, because of {part}: " in said["request"][1]
    assert f"do: {ADVICE[part]}" in said["request"][1]
    assert "reject" not in done.stdout


def test_the_log_is_named_and_its_lines_about_the_failure_are_shown_at_the_end(check):
    done, _ = check(sys.executable, CONSUMERS, "decrypts with the wrong key")

    shown = r"^The output of your consumer is in (.+)\n +during the check 'request':\n((?: {8}.+\n)+)"
    found = re.search(shown, done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    assert "error: cannot decrypt" in Path(found[1]).read_text()
    assert {line.strip()[:21] for line in found[2].splitlines()} == {"error: cannot decrypt"}
    assert done.stdout.endswith("1 passed, 1 failed\n")


def test_lines_of_a_shutdown_and_stack_traces_are_not_shown():
    lines = ["connected", "Traceback (most recent call last):", '  File "a.py", line 3', "ValueError: no seq"]
    noise = ["Task was destroyed but it is pending!", "asyncio.exceptions.CancelledError"]

    assert relevant([*lines, *noise]) == ["ValueError: no seq"]
    assert relevant(["started", "", "ready", *noise]) == ["started", "ready"]


def test_the_events_of_a_run_do_not_block_the_next(check, broker):
    check(sys.executable, CONSUMERS, "never acks")
    assert waiting(broker) == {"province.isfahan": 0, "province.isfahan.dead": 0}

    done, _ = check(sys.executable, CONSUMERS, "decrypts with the wrong key")
    assert done.returncode == 1, done.stderr
    assert waiting(broker) == {"province.isfahan": 0, "province.isfahan.dead": 0}


def test_events_of_a_run_that_was_killed_do_not_block_the_next(check, broker):
    check(sys.executable, CONSUMERS, "reads nothing")
    publish(broker, aio_pika.Message(b"{}", app_id=APP_ID))
    assert waiting(broker)["province.isfahan"] == 1

    done, said = check(sys.executable, CONSUMERS, "reads nothing")
    assert (done.returncode, failed(said)) == (1, {"connects"}), done.stderr


@pytest.mark.parametrize(
    ("province", "hint"),
    [
        ("esfahan", "did you mean isfahan"),
        ("khorasan-razavi", "razavi-khorasan"),
        ("tehran ", "did you mean tehran"),
        ("headquarter", "did you mean headquarters"),
        ("desk", "one of alborz, ardabil, "),
    ],
)
def test_an_unknown_province_is_refused_with_keys_that_are_like_it(province, hint):
    options = ["--broker", "amqp://127.0.0.1:1/", "--province", province]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "desk.expert_kit.main", "check", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert hint in done.stderr


def test_the_kit_knows_all_offices():
    provinces = Contract("qom").provinces

    assert len(provinces) == 32
    assert {"qom", "isfahan", "south-khorasan", "yazd", "headquarters"} <= set(provinces)


def test_a_consumer_without_mistakes_passes_and_is_told_what_could_be_better(check):
    done, said = check(sys.executable, CONSUMERS, "none", patience=10)

    assert failed(said) == set(), done.stdout
    assert done.returncode == 0
    assert "no file was downloaded" in done.stdout
    assert "it ended when the broker was unavailable" in done.stdout


def test_a_consumer_may_have_a_key_of_p_256(check):
    done, said = check(sys.executable, CONSUMERS, "has a key of P-256", patience=10, curve="P-256")

    assert failed(said) == set(), done.stdout


def test_a_consumer_that_is_started_by_hand_is_told_where_to_connect(broker):
    options = ["--broker", broker, "--province", "isfahan", "--patience", "8"]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "desk.expert_kit.main", "check", *options], stdout=subprocess.PIPE, text=True
    ) as kit:
        given = {}
        for line in kit.stdout:
            if found := re.fullmatch(r"  ([A-Z_]+)=(.*)", line.rstrip("\n")):
                given[found[1]] = ast.literal_eval(found[2])
            elif given:
                break
        assert given.keys() == {
            "BROKER_URL",
            "DESK_URL",
            "PROVINCE",
            "PRIVATE_KEY",
            "EVENT_PRIVATE_KEY",
            "FORMER_EVENT_PRIVATE_KEY",
        }
        by_hand = [sys.executable, CONSUMERS, "none"]
        with subprocess.Popen(by_hand, env=os.environ | given) as consumer:  # noqa: S603
            said = kit.stdout.read()
            consumer.kill()

    assert "  ok    long text" in said, said
    assert "  --    killed at ack: not tried; give your consumer's command after --" in said
    # It ends with the broker, and no supervisor restarts it, so this check fails.
    assert re.findall("FAIL  ([a-z ]+):", said) == ["broker unavailable"]
    assert kit.returncode == 1


def test_a_queue_with_something_in_it_is_left_alone(check, broker):
    done, _ = check(sys.executable, CONSUMERS, "reads nothing")
    assert done.returncode == 1

    publish(broker, aio_pika.Message(b"{}"))
    done, said = check(sys.executable, CONSUMERS, "none")
    assert (done.returncode, said) == (2, {})
    assert "1 messages wait in province.isfahan" in done.stderr
    assert waiting(broker)["province.isfahan"] == 1


def test_a_broker_that_is_not_there_is_said_in_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "desk.expert_kit.main", "check", "--broker", "amqp://127.0.0.1:1/", "--province", "qom"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "127.0.0.1:1" in done.stderr
