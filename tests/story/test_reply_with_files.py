"""The experts ask for a document, the applicant sends it from the tracking page, and the province opens it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.applicant import PDF, PNG, Applicant, Expert
from support.console_client import ConsoleClient
from support.embedded_desk import RunningDesk, wait_for
from support.real_desk import RealDesk

from desk.testing.event_keys import event_key_pair

QUESTION, TEXT = "تصویر گذرنامه را بفرستید.", "تصویر گذرنامه پیوست است."
ASKING = """
import asyncio, os, sys
from pathlib import Path
from desk.expert import DeskKeys, Files, Inbox, SqliteMemory

async def main():
    folder = Path(os.environ["FOLDER"])
    files = Files(os.environ["DESK_URL"], "qom", os.environ["PRIVATE_KEY"])
    keys = {"private_keys": [os.environ["EVENT_PRIVATE_KEY"]], "desk_keys": DeskKeys(os.environ["DESK_URL"])}
    memory = SqliteMemory(folder / "memory")
    async with Inbox(os.environ["BROKER_URL"], "qom", memory, files=files, **keys) as inbox:
        async for case in inbox:
            if case.request is not None:
                await case.received()
                await case.ask("تصویر گذرنامه را بفرستید.")
            elif case.reply is not None:
                for attachment in case.attachments:
                    await attachment.save(folder / attachment.file.name)
                await case.answer("«" + case.reply.text + "» دیده شد.")

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory):
    running = RunningDesk(tmp_path_factory.mktemp("replies") / "data")
    yield running
    running.kill()


def asked(desk: RunningDesk, place: int) -> tuple[Applicant, Expert, str, str]:
    """Send a request and let the experts ask a question; return the code and the tracking token."""
    applicant, expert = Applicant(desk.client, place), Expert(desk.client, "yazd")
    code = applicant.submit(province="yazd")
    expert.receives(code)
    assert expert.ask(code, QUESTION).status_code == 202
    return applicant, expert, code, applicant.sees(code, "info_requested")["token"]


def opened(client: httpx.Client, file_id: str, token: str) -> bytes:
    answer = client.get(f"/api/files/{file_id}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_reply_with_files_reaches_the_province_and_stays_in_the_history(desk: RunningDesk):
    applicant, _, code, token = asked(desk, 10)
    files = [
        applicant.upload_for_reply(token, name, content).json()
        for name, content in (("گذرنامه.pdf", PDF), ("عکس.png", PNG))
    ]

    answer = applicant.reply(token, TEXT, [each["id"] for each in files], key="reply-00000001")
    again = applicant.reply(token, TEXT, [each["id"] for each in files], key="reply-00000001")

    assert (answer.status_code, again.status_code) == (200, 200), answer.text
    view = applicant.sees(code, "in_progress")
    assert [(step["action"], [file["name"] for file in step["files"]]) for step in view["history"]][-1] == (
        "reply",
        ["گذرنامه.pdf", "عکس.png"],
    )
    assert opened(desk.client, files[0]["id"], view["token"]) == PDF
    with ConsoleClient(desk.url).sign_in("yazd") as console:
        page = wait_for(lambda: text if TEXT in (text := console.open(f"/cases/{code}")) else "")
        assert page.count(TEXT) == page.count("عکس.png") == 1, "whole, and once"
        assert console.client.get(f"/cases/{code}/files/{files[1]['id']}").content == PNG
    assert QUESTION not in json.dumps(view["answer"])


def test_a_bad_file_does_not_lose_the_text_of_the_reply(desk: RunningDesk):
    applicant, _, code, token = asked(desk, 11)

    refused = applicant.upload_for_reply(token, "برنامه.pdf", b"MZ" + bytes(100))
    answer = applicant.reply(token, TEXT, ["0f8fad5b-d9cb-469f-a165-70867728950e"])

    assert (refused.status_code, refused.json()["code"]) == (415, "file_type_forbidden")
    assert (answer.status_code, answer.json()["code"]) == (422, "attachment_unknown")
    assert applicant.sees(code, "info_requested")["actions"] == ["reply", "withdraw"]
    assert applicant.reply(token, TEXT, []).status_code == 200


def test_another_applicant_can_neither_use_nor_open_the_file(desk: RunningDesk):
    one, _, _, token = asked(desk, 12)
    other, _, _, others_token = asked(desk, 13)
    file_id = one.upload_for_reply(token, "گذرنامه.pdf", PDF).json()["id"]

    assert other.reply(others_token, TEXT, [file_id]).json()["code"] == "attachment_unknown"
    assert one.reply(token, TEXT, [file_id]).status_code == 200
    refused = desk.client.get(f"/api/files/{file_id}", headers={"Authorization": f"Bearer {others_token}"})
    assert (refused.status_code, refused.json()["code"]) == (404, "file_unknown")


def test_after_a_reply_no_more_files_are_accepted(desk: RunningDesk):
    applicant, _, _, token = asked(desk, 14)
    later = applicant.reply(token, TEXT, []).json()["token"]

    refused = applicant.upload_for_reply(later, "گذرنامه.pdf", PDF)

    assert (refused.status_code, refused.json()["code"]) == (409, "reply_not_possible")


def test_on_real_parts_the_library_for_provinces_opens_the_files(clean_desk: RealDesk, public_url: str, tmp_path: Path):
    applicant = clean_desk.applicant(3)
    code = clean_desk.submit(3, province="qom").code
    settings = {
        "FOLDER": str(tmp_path),
        "DESK_URL": public_url,
        "PRIVATE_KEY": clean_desk.office_signing_keys["qom"][0],
        "EVENT_PRIVATE_KEY": event_key_pair("qom")[0],
        "BROKER_URL": clean_desk.broker.url("province.qom"),
    }
    with subprocess.Popen([sys.executable, "-c", ASKING], env=os.environ | settings) as province:  # noqa: S603
        try:
            token = applicant.sees(code, "info_requested")["token"]
            taken = applicant.upload_for_reply(token, "گذرنامه.pdf", PDF)
            assert taken.status_code == 201, taken.text
            assert applicant.reply(token, TEXT, [taken.json()["id"]]).status_code == 200
            view = applicant.sees(code, "answered")
        finally:
            province.terminate()

    assert re.search(TEXT, view["answer"]["text"])
    assert (tmp_path / "گذرنامه.pdf").read_bytes() == PDF
