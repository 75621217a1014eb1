"""No text of a request, a question, a reply or an answer is readable in the folder of the broker, its log included."""

import json
import secrets
from pathlib import Path

import pytest
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.testing.process import LocalProcess


def places(folder: Path, text: str) -> list[str]:
    """List the files that contain a text, in UTF-8 or escaped as in JSON."""
    wanted = {text.encode(), json.dumps(text).strip('"').encode()}
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(each in path.read_bytes() for each in wanted)
    ]


def test_a_whole_story_leaves_nothing_readable_at_the_broker(clean_desk: RealDesk):
    if not isinstance(clean_desk.rabbit.machine, LocalProcess):
        pytest.skip("the broker's folder is on another machine or in a container")
    word = secrets.token_hex(8)
    names = ("text", "file", "question", "reply", "answer", "objection")
    canaries = {name: f"نشان {name} {word}" for name in names} | {"email": f"{word}@example.com"}
    applicant, province = clean_desk.applicant(5), clean_desk.province
    file = applicant.upload(f"{canaries['file']}.pdf", PDF)
    code = clean_desk.submit(5, text=canaries["text"], email=canaries["email"], attachments=[file]).code
    wait_for(lambda: province.of(code))
    province.report(code, "case-info-requested", 1, question=canaries["question"])
    token = applicant.sees(code, "info_requested")["token"]
    assert applicant.reply(token, canaries["reply"], []).status_code == 200
    wait_for(lambda: province.of(code, "request-replied"))
    province.report(code, "case-answered", 2, text=canaries["answer"])
    token = applicant.sees(code, "answered")["token"]
    assert applicant.object_to(token, canaries["objection"]).status_code == 200
    [objected] = wait_for(lambda: province.of(code, "request-objected"))
    assert objected["data"]["text"] == canaries["objection"], "the texts went through the broker"

    folder = clean_desk.rabbit.machine.folder
    assert places(folder, code), "the test looks into the right folder"
    found = {name: places(folder, text) for name, text in canaries.items()}
    found |= {name: places(folder, applicant.person[name]) for name in ("national_id", "last_name")}
    assert not any(found.values()), found
