"""``desk-probe`` on real servers: it goes through the gateway, and no office, figure or SMS knows of it."""

import os
import re
import subprocess
import sys

from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.chassis.bus.rabbit.layout import dead_queue
from desk.chassis.crypto import new_key_pair
from desk.iran.offices import OFFICES
from desk.testing.ports import free_port
from desk.testing.service_keys import key_pair
from desk.topology.table import office_queue


def probe(url: str, private_key: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command once."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
    environment |= {"DESK_PROBE_URL": url, "DESK_PROBE_PRIVATE_KEY": private_key or key_pair("probe")[0]}
    return subprocess.run(
        [sys.executable, "-m", "desk.probe.main", "run"],
        env=environment | {f"DESK_PROBE_{name}": value for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_probe_succeeds_and_no_office_figure_or_sms_knows_of_it(clean_desk: RealDesk, public_url: str):
    desk = clean_desk
    done = probe(public_url, SECONDS="120")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    steps = [line.split(": ")[1] for line in done.stdout.splitlines()]
    assert steps == ["page", "security code", "submission", "look-up", "all steps"]
    [(code,)] = desk.rows("intake", "SELECT tracking_code FROM request")
    [(found, seconds)] = desk.rows(
        "tracking", "SELECT tracking_code, extract(epoch FROM found_at - submitted_at) FROM probe"
    )
    assert found == code
    assert 0 < seconds < 120
    wait_for(lambda: desk["tracking"].metric("desk_probe_success_time_seconds") > 0, 60)
    assert desk["tracking"].metric("desk_probe_seconds") == float(seconds)

    wait_for(lambda: desk.rows("intake", "SELECT 1 FROM outbox WHERE sent_at IS NULL") == [])
    assert desk.rows("tracking", 'SELECT 1 FROM "case"') == []
    assert desk.rows("tracking", "SELECT 1 FROM outbox") == []
    assert desk.rows("notifier", "SELECT 1 FROM message UNION ALL SELECT 1 FROM inbox") == []
    offices = [office_queue(each.key) for each in OFFICES]
    assert desk.broker.waiting(*offices, *map(dead_queue, ("tracking", "notifier"))) == {}
    assert desk.province.events == {}


def test_a_failure_is_one_line_with_its_step(clean_desk: RealDesk, public_url: str):
    stranger = probe(public_url, new_key_pair()[0])
    assert (stranger.returncode, stranger.stderr) == (1, "desk-probe: FAILED: submission: the desk answered 401\n")

    clean_desk["tracking"].kill()
    failed = probe(public_url)
    assert failed.returncode == 1
    assert re.fullmatch(r"desk-probe: FAILED: look-up: the desk answered 50[234]\n", failed.stderr), failed.stderr

    nowhere = probe(f"http://127.0.0.1:{free_port()}")
    assert (nowhere.returncode, nowhere.stderr) == (1, "desk-probe: FAILED: page: no answer: ConnectError\n")
