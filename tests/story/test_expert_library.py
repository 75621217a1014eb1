"""The example in the library's README, run against the real desk: it consumes cases, reads files and reports."""

import os
import re
import subprocess
import sys
from pathlib import Path

from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.testing.event_keys import event_key_pair

README = Path(__file__).parents[2] / "expert" / "README.md"


def example() -> str:
    """Return the program in the README."""
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(program.splitlines()) <= 30
    return str(program)


def test_the_example_answers_a_request_and_saves_its_file(clean_desk: RealDesk, public_url: str, tmp_path: Path):
    applicant = clean_desk.applicant(1)
    file_id = applicant.upload("گذرنامه.pdf", PDF)
    code = clean_desk.submit(1, attachments=[file_id], province="qom").code
    settings = {
        "PROVINCE": "qom",
        "FOLDER": str(tmp_path),
        "DESK_URL": public_url,
        "PRIVATE_KEY": clean_desk.office_signing_keys["qom"][0],
        "EVENT_PRIVATE_KEY": event_key_pair("qom")[0],
        "BROKER_URL": clean_desk.broker.url("province.qom"),
    }
    with subprocess.Popen([sys.executable, "-c", example()], env=os.environ | settings) as province:  # noqa: S603
        try:
            view = applicant.sees(code, "answered", entries=3)
        finally:
            province.terminate()

    assert [step["state"] for step in view["history"]] == ["registered", "received", "answered"]
    assert (tmp_path / file_id).read_bytes() == PDF


def test_a_file_of_a_province_reaches_its_applicant(clean_desk: RealDesk, public_url: str, tmp_path: Path):
    applicant = clean_desk.applicant(2)
    code = clean_desk.submit(2, province="qom").code
    (tmp_path / "visa.pdf").write_bytes(PDF)
    answering = example().replace('رسیدگی شد.")', "رسیدگی شد.\", files=[folder / 'visa.pdf'])")
    settings = {
        "PROVINCE": "qom",
        "FOLDER": str(tmp_path),
        "DESK_URL": public_url,
        "PRIVATE_KEY": clean_desk.office_signing_keys["qom"][0],
        "EVENT_PRIVATE_KEY": event_key_pair("qom")[0],
        "BROKER_URL": clean_desk.broker.url("province.qom"),
    }
    with subprocess.Popen([sys.executable, "-c", answering], env=os.environ | settings) as province:  # noqa: S603
        try:
            view = applicant.sees(code, "answered")
        finally:
            province.terminate()

    (file,) = view["answer"]["files"]
    headers = {"Authorization": f"Bearer {view['token']}"}
    assert wait_for(lambda: clean_desk.client.get(f"/api/files/{file['id']}", headers=headers)).content == PDF
