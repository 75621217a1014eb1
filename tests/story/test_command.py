"""The command line: every error is reported in one line."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
from support.applicant import Applicant
from support.embedded_desk import RunningDesk, desk_command, free_port

from desk.local.main import main


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [*desk_command(), *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    return text


def test_a_taken_port_gets_one_clear_line(tmp_path: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = run("--port", str(other.getsockname()[1]), "--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert "choose another port with --port" in one_line(refused.stderr)


def test_a_data_folder_that_cannot_be_made_gets_one_clear_line(tmp_path: Path):
    (tmp_path / "file").touch()
    refused = run("--data-dir", str(tmp_path / "file" / "desk"))
    assert refused.returncode == 1
    assert "give another one with --data-dir" in one_line(refused.stderr)


def test_an_unwritable_folder_gets_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Root may write everywhere, so the test replaces the answer of the operating system.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SystemExit) as refused:
        main(["up", "--data-dir", str(tmp_path), "--port", str(free_port())])
    assert "is not writable; give another one with --data-dir" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("answer", ["1234", "123456", "abcde", "۱۲۳۴۵"])
def test_a_fixed_security_code_has_five_digits(answer: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as refused:
        main(["up", "--captcha-answer", answer])
    assert refused.value.code == 2
    assert "five digits" in capsys.readouterr().err


def test_the_greeting_shows_addresses_people_to_try_and_how_to_stop(desk: RunningDesk):
    greeting = desk.log
    for part in (desk.url, "/demo/expert", "/demo/messages", "Ctrl-C", "for automated checks only"):
        assert part in greeting
    assert Applicant(desk.client).national_id in greeting


def test_nothing_personal_is_logged(desk: RunningDesk):
    applicant = Applicant(desk.client, place=7)
    code = applicant.submit(text="این متن محرمانه است و نباید در گزارش‌ها بیاید.", mobile="09351112233")
    applicant.sees(code, "received")
    log = desk.log.split("stop         Ctrl-C", 1)[1]
    for secret in (
        applicant.national_id,
        applicant.person["last_name"],
        "محرمانه",
        "9351112233",
        code,
        applicant.token,
    ):
        assert secret not in log
