"""``docs/offices.md`` is followed literally: its programs run against ``desk up --amqp``. The page has its text."""

import os
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.applicant import Applicant
from support.embedded_desk import RunningDesk, wait_for

from desk.local.brokers import VHOST
from desk.testing.rabbit import RabbitServer
from desk.topology.definitions import definitions

TEXT = (Path(__file__).parents[2] / "docs" / "offices.md").read_text(encoding="utf-8")
RECEIVE, ANSWER, DEPTH, FIGURES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


class Developer:
    """A developer with a folder, who copies the document's programs and uses the desk's settings."""

    def __init__(self, desk: RunningDesk, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        text = (desk.folder / "office" / "environment").read_text(encoding="utf-8")
        self.environment = os.environ | dict(line.split("=", 1) for line in shlex.split(text))
        programs = {"receive.py": RECEIVE, "answer.py": ANSWER, "depth.py": DEPTH, "figures.py": FIGURES}
        for name, program in programs.items():
            (folder / name).write_text(program, encoding="utf-8")
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.receiving = subprocess.Popen(
                [sys.executable, "receive.py"], cwd=folder, env=self.environment, stdout=log, stderr=log
            )

    def run(self, *command: str) -> str:
        done = subprocess.run(  # noqa: S603 - the document's program
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prints(self, text: str) -> bool:
        assert self.receiving.poll() is None, self.log.read_text(encoding="utf-8")
        return text in self.log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory, rabbit_server: RabbitServer) -> Iterator[Developer]:
    """A developer at a desk on a given RabbitMQ; in ``test_office_mistakes`` the desk starts its own."""
    given = {
        "DESK_TEST_RABBITMQ_URL": rabbit_server.amqp_url,
        "DESK_TEST_RABBITMQ_MANAGEMENT_URL": rabbit_server.management_url,
    }
    desk = RunningDesk(tmp_path_factory.mktemp("offices") / "desk", "--amqp", environment=given)
    developer = Developer(desk, tmp_path_factory.mktemp("office"))
    yield developer
    developer.receiving.terminate()
    developer.receiving.wait(30)
    desk.stop()
    rabbit_server.delete_vhost(VHOST)
    rabbit_server.delete_users(definitions(VHOST))


def sample_request(developer: Developer) -> str:
    sent = developer.desk.client.post("/demo/office/requests", headers={"accept": "application/json"})
    code = str(sent.json()["tracking_code"])
    wait_for(lambda: developer.prints(f"{code} request-submitted"), 60)
    return code


def reports_of(developer: Developer, code: str) -> list[dict[str, Any]]:
    return [each for each in developer.desk.client.get("/demo/office").json() if each["envelope"]["subject"] == code]


def test_the_first_event_arrives_and_an_answer_is_sent_later(developer):
    code = sample_request(developer)
    applicant = Applicant(developer.desk.client)
    applicant.sees(code, "received")

    developer.run("answer.py", code, "روادید شما صادر شده است.")

    assert applicant.sees(code, "answered")["answer"]["text"] == "روادید شما صادر شده است."
    assert not developer.prints("case-refused")


def test_a_refused_report_reaches_the_program(developer):
    code = sample_request(developer)
    developer.run("answer.py", code, "پاسخ نخست")
    Applicant(developer.desk.client).sees(code, "answered")

    developer.run("answer.py", code, "پاسخ دوم")

    wait_for(lambda: developer.prints(f"{code} case-refused"), 60)
    assert developer.prints("illegal_move")


def test_an_interrupted_answer_is_finished_and_counts_once(developer):
    code = sample_request(developer)
    developer.run("answer.py", code, "پاسخ")
    applicant = Applicant(developer.desk.client)
    applicant.sees(code, "answered")
    [sent] = (developer.folder / "cases" / code).glob("*.answer")
    sent.rename(sent.with_name("answer.waiting"))  # as if it was killed after the broker's confirm

    developer.run("answer.py", code, "متن دیگر")

    shown = wait_for(lambda: [each for each in reports_of(developer, code) if each["outcome"] == "repeated"], 60)
    assert len(shown) == 1
    assert applicant.track(code).json()["answer"]["text"] == "پاسخ"


def test_an_unknown_case_is_not_answered(developer):
    with pytest.raises(AssertionError, match="there is no case"):
        developer.run("answer.py", "202611220010", "پاسخ")


def test_the_program_passes_the_kit(tmp_path, rabbit_server):
    vhost = f"kit-{uuid.uuid4().hex[:8]}"
    url = rabbit_server.create_vhost(vhost)
    (tmp_path / "receive.py").write_text(RECEIVE, encoding="utf-8")
    kit = [sys.executable, "-m", "desk.expert_kit.main", "check", "--broker", url, "--province", "isfahan", "--"]
    done = subprocess.run(  # noqa: S603 - our own command
        [*kit, sys.executable, "receive.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    rabbit_server.delete_vhost(vhost)
    assert done.returncode == 0, done.stdout


def test_the_depth_of_the_dead_letters_can_be_asked_for(developer):
    assert developer.run("depth.py").strip() == "0"


def test_the_figures_have_a_line_for_the_month_of_a_request(developer):
    sample_request(developer)
    [line] = developer.run("figures.py").splitlines()
    assert re.match(r"1[34]\d\d-\d\d (\d+|<5|suppressed) 0 None$", line)


@pytest.mark.parametrize(("language", "heading"), [("en", "Start here"), ("fa", "از این‌جا آغاز کنید")])
def test_the_page_has_the_text_and_the_contract_links_to_it(developer, language, heading):
    page = developer.desk.client.get("/offices", params={"lang": language}).text
    assert heading in page
    assert "desk-expert keys" in page
    assert 'href="../' not in page
    assert 'href="/offices"' in developer.desk.client.get("/contract", params={"lang": language}).text
