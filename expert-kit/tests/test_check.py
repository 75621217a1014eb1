"""The test kit on a real RabbitMQ: a good consumer passes, and each mistake is found where it shows."""

import ast
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

EXPERT = Path(__file__).parents[2] / "expert"
CONSUMERS = Path(__file__).with_name("consumers.py")
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

    def run(*command, patience=8, curve="X25519"):
        options = ["--broker", broker, "--province", "isfahan", "--patience", str(patience), "--curve", curve]
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


def failed(said):
    return {name for name, (verdict, _) in said.items() if verdict == "FAIL"}


def test_the_example_of_the_readme_passes(check):
    (program,) = re.findall(r"```python\n(.*?)```", (EXPERT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(program.splitlines()) <= 30

    done, said = check(sys.executable, "-c", program, patience=20)

    assert failed(said) == set(), done.stdout
    assert (done.returncode, len(said)) == (0, 17)
    assert "no file was downloaded" not in done.stdout
    assert "note:" not in done.stdout


MISTAKES = {
    "reads nothing": ({"connects"}, "it ended with exit code 0"),
    "takes without acks": ({"connects"}, "without acknowledgements"),
    "never acks": ({"request"}, "was delivered and not acknowledged"),
    "acks before handling": ({"killed at report", "killed at ack"}, "the case is lost"),
    "answers twice": ({"duplicates"}, "case-answered"),
    "answers objections": ({"objections"}, "decided without a supervisor: case-answered"),
    "keeps erased data": ({"erasure"}, "no case-erased with the certificate_id"),
    "dies of an unknown field": ({"unknown fields"}, "the consumer ended with exit code 3"),
    "answers in another shape": ({"reports"}, "'tracking_code' is a required property"),
    "gives back what it cannot read": ({"unreadable", "encryption"}, "was requeued"),
    "handles moved data": ({"encryption"}, "the encrypted data of another event was handled"),
    "answers in clear": ({"reports", "erasure"}, "data: the data is no JWE of the contract"),
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
        assert given.keys() == {"BROKER_URL", "DESK_URL", "PROVINCE", "PRIVATE_KEY", "EVENT_PRIVATE_KEY"}
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

    import asyncio

    import aio_pika

    async def put():
        async with await aio_pika.connect(broker) as connection:
            channel = await connection.channel()
            await channel.default_exchange.publish(aio_pika.Message(b"{}"), "province.isfahan")

    asyncio.run(put())
    done, said = check(sys.executable, CONSUMERS, "none")
    assert (done.returncode, said) == (2, {})
    assert "1 messages wait in province.isfahan" in done.stderr


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
