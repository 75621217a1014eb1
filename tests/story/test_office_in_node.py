"""The consumer in Node.js, which was written from the contract alone, at the real desk."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.privacy import privacy
from support.real_desk import RealDesk

from desk.testing.event_keys import event_key_pair

CONSUMER = Path(__file__).parents[1] / "web" / "examples" / "office.mjs"
QUESTION = "تصویر گذرنامه را بفرستید."
ANSWER = "روادید شما صادر شده است."


class Office:
    """The consumer as a process, and the people who decide."""

    def __init__(self, node: str, folder: Path, settings: dict[str, str]) -> None:
        self._node, self._folder, self._settings = node, folder, settings
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([self._node, CONSUMER], env=os.environ | self._settings)  # noqa: S603

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def stored(self, code: str) -> str:
        """Return all lines about a case."""
        path = self._folder / "cases" / f"{code}.jsonl"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def file(self, code: str, file_id: str) -> Path:
        """Return where a file of a case is stored."""
        return self._folder / "cases" / code / file_id

    def lose_memory(self) -> None:
        """Delete what is stored of all cases."""
        self.kill()
        shutil.rmtree(self._folder / "cases")
        self.start()

    def decide(self, code: str, report: str, *, by: str, files: tuple[Path, ...] = (), **data: str) -> Path:
        """Decide as a person; return the file of the decision after it was handled, if it was refused."""
        decision = {"case": code, "report": report, "by": by, "data": data, "files": [str(each) for each in files]}
        new, path = self._folder / "new", self._folder / "decisions" / f"{uuid.uuid4()}.json"
        new.write_text(json.dumps(decision), encoding="utf-8")
        new.rename(path)
        wait_for(lambda: not path.exists())
        return path.with_name(f"{path.name}.refused")


@pytest.fixture
def office(clean_desk: RealDesk, public_url: str, tmp_path: Path) -> Iterator[Office]:
    node = shutil.which("node")
    if node is None or not (CONSUMER.parents[1] / "node_modules" / "amqplib").exists():
        pytest.skip("needs Node 20, and amqplib and jose from npm: run tests/web/install")
    settings = {
        "PROVINCE": "qom",
        "FOLDER": str(tmp_path),
        "DESK_URL": public_url,
        "PRIVATE_KEY": clean_desk.office_signing_keys["qom"][0],
        "EVENT_PRIVATE_KEY": event_key_pair("qom")[0],
        "BROKER_URL": clean_desk.broker.url("province.qom"),
    }
    running = Office(node, tmp_path, settings)
    yield running
    running.kill()


def states(view: dict[str, Any]) -> list[str]:
    return [entry["state"] for entry in view["history"]]


def test_the_story_of_a_request_in_node(clean_desk: RealDesk, office: Office, tmp_path: Path):
    applicant = clean_desk.applicant(1)
    file_id = applicant.upload("گذرنامه.pdf", PDF)
    code = clean_desk.submit(1, attachments=[file_id], province="qom").code
    applicant.sees(code, "received")
    wait_for(office.file(code, file_id).exists)
    assert office.file(code, file_id).read_bytes() == PDF

    office.decide(code, "case-info-requested", by="expert-1", question=QUESTION)
    token = applicant.sees(code, "info_requested")["token"]
    sent = applicant.upload_for_reply(token, "گذرنامه.pdf", PDF).json()["id"]
    assert applicant.reply(token, "پیوست است.", [sent]).status_code == 200
    wait_for(office.file(code, sent).exists)

    (tmp_path / "روادید.pdf").write_bytes(PDF)
    office.decide(code, "case-answered", by="expert-1", text=ANSWER, files=(tmp_path / "روادید.pdf",))
    view = applicant.sees(code, "answered", entries=5)
    assert states(view) == ["registered", "received", "info_requested", "in_progress", "answered"]
    assert view["answer"]["text"] == ANSWER
    (file,) = view["answer"]["files"]
    assert file["name"] == "روادید.pdf"
    headers = {"Authorization": f"Bearer {view['token']}"}
    assert wait_for(lambda: clean_desk.client.get(f"/api/files/{file['id']}", headers=headers)).content == PDF

    applicant.object_to(view["token"], "پاسخ به پرسش من نبود.")
    wait_for(lambda: "request-objected" in office.stored(code))
    assert office.decide(code, "case-rejected", by="expert-1", reason="همان پاسخ.").exists()
    assert not office.decide(code, "case-rejected", by="supervisor-1", reason="مهلت گذشته است.").exists()
    assert states(applicant.sees(code, "rejected"))[-2:] == ["objected", "rejected"]


def test_a_referred_case_is_received_with_its_file(clean_desk: RealDesk, office: Office):
    """intake may learn of the referral later than the office, which is answered with 404 until then."""
    applicant = clean_desk.applicant(4)
    file_id = applicant.upload("گذرنامه.pdf", PDF)
    code = clean_desk.submit(4, attachments=[file_id]).code
    clean_desk.province.report(code, "case-referred", 1, province="qom", reason="کاروان در قم است.")

    wait_for(lambda: '"name":"request-referred"' in office.stored(code))
    applicant.sees(code, "received")
    wait_for(office.file(code, file_id).exists)
    assert office.file(code, file_id).read_bytes() == PDF


def test_an_office_that_lost_its_numbers_continues_with_the_expected_one(clean_desk: RealDesk, office: Office):
    applicant = clean_desk.applicant(2)
    code = clean_desk.submit(2, province="qom").code
    applicant.sees(code, "received")
    office.decide(code, "case-info-requested", by="expert-1", question=QUESTION)
    token = applicant.sees(code, "info_requested")["token"]

    office.lose_memory()
    assert applicant.reply(token, "در متن هست.", []).status_code == 200
    wait_for(lambda: "request-replied" in office.stored(code))
    office.decide(code, "case-answered", by="expert-1", text=ANSWER)

    assert applicant.sees(code, "answered")["answer"]["text"] == ANSWER
    assert '"reason":"sequence_used"' in office.stored(code)
    assert states(applicant.sees(code, "answered")).count("answered") == 1


def test_an_erasure_leaves_no_personal_data_in_the_office(clean_desk: RealDesk, office: Office):
    applicant = clean_desk.applicant(3)
    file_id = applicant.upload("گذرنامه.pdf", PDF)
    code = clean_desk.submit(3, attachments=[file_id], province="qom", text="متن محرمانهٔ متقاضی").code
    applicant.sees(code, "received")
    wait_for(office.file(code, file_id).exists)
    assert "متن محرمانهٔ متقاضی" in office.stored(code)

    privacy(clean_desk, "erase", code, "--reason", "applicant")

    def has_acknowledged() -> bool:
        asked = privacy(clean_desk, "certificate", code)["asked"]
        return any(each["acknowledged_at"] for each in asked if each["name"] == "qom")

    wait_for(has_acknowledged)
    assert "متن محرمانهٔ متقاضی" not in office.stored(code)
    assert not office.file(code, file_id).parent.exists()
