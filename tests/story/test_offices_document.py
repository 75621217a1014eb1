"""``docs/offices.md`` is followed literally: its programs run against ``desk up --amqp``. The page has its text."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.applicant import Applicant
from support.embedded_desk import RunningDesk, wait_for

TEXT = (Path(__file__).parents[2] / "docs" / "offices.md").read_text(encoding="utf-8")
RECEIVE, ANSWER, DEPTH = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


class Developer:
    """A developer with a folder, who copies the document's programs and uses the desk's settings."""

    def __init__(self, desk: RunningDesk, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        text = (desk.folder / "office" / "environment").read_text(encoding="utf-8")
        self.environment = os.environ | dict(line.split("=", 1) for line in shlex.split(text))
        for name, program in (("receive.py", RECEIVE), ("answer.py", ANSWER), ("depth.py", DEPTH)):
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
def developer(tmp_path_factory: pytest.TempPathFactory, rabbit_server: object) -> Iterator[Developer]:
    del rabbit_server  # it is skipped where no RabbitMQ can run; the desk starts its own
    desk = RunningDesk(Path(tmp_path_factory.mktemp("offices")) / "desk", "--amqp")
    developer = Developer(desk, tmp_path_factory.mktemp("office"))
    yield developer
    developer.receiving.terminate()
    developer.receiving.wait(30)
    desk.stop()


def test_the_first_event_arrives_and_an_answer_is_sent_later(developer):
    sent = developer.desk.client.post("/demo/office/requests", headers={"accept": "application/json"})
    code = sent.json()["tracking_code"]
    wait_for(lambda: developer.prints(f"{code} request-submitted"), 60)
    applicant = Applicant(developer.desk.client)
    applicant.sees(code, "received")

    developer.run("answer.py", code, "روادید شما صادر شده است.")
    developer.run("answer.py", code, "روادید شما صادر شده است.")  # the same answer counts once

    assert applicant.sees(code, "answered")["answer"]["text"] == "روادید شما صادر شده است."
    assert not developer.prints("case-refused")


def test_a_refused_report_reaches_the_program(developer):
    sent = developer.desk.client.post("/demo/office/requests", headers={"accept": "application/json"})
    code = sent.json()["tracking_code"]
    wait_for(lambda: developer.prints(f"{code} request-submitted"), 60)
    developer.run("answer.py", code, "پاسخ نخست")
    Applicant(developer.desk.client).sees(code, "answered")
    (developer.folder / "cases" / f"{code}.answer").unlink()

    developer.run("answer.py", code, "پاسخ دوم")

    wait_for(lambda: developer.prints(f"{code} case-refused"), 60)
    assert developer.prints("illegal_move")


def test_the_depth_of_the_dead_letters_can_be_asked_for(developer):
    assert developer.run("depth.py").strip() == "0"


@pytest.mark.parametrize(("language", "heading"), [("en", "Start here"), ("fa", "از این‌جا آغاز کنید")])
def test_the_page_has_the_text_and_the_contract_links_to_it(developer, language, heading):
    page = developer.desk.client.get("/offices", params={"lang": language}).text
    assert heading in page
    assert "desk-expert keys" in page
    assert "../" not in page
    assert 'href="/offices"' in developer.desk.client.get("/contract", params={"lang": language}).text
