"""Erasure on demand on real servers: nothing of the request can be read afterwards, and all acknowledge."""

import json
import secrets

import pytest
from minio import Minio
from support.applicant import PDF
from support.embedded_desk import wait_for
from support.privacy import privacy
from support.real_desk import RealDesk
from support.stored_data import readable

SERVICES = ("intake", "tracking", "notifier")


def objects_in(desk: RealDesk) -> set[str]:
    s3 = desk.s3
    client = Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=s3.secure, region=s3.region)
    found = {str(each.object_name) for each in client.list_objects(desk.name, recursive=True)}
    return {each for each in found if not each.startswith("erased/")}  # the list of erased codes


@pytest.fixture
def words() -> dict[str, str]:
    word = secrets.token_hex(6)
    letters = "".join(secrets.choice("abcdefghijklmnop") for _ in range(16))
    words = {name: f"canary-{name}-{word}" for name in ("text", "file", "question", "reply", "answer")}
    return words | {"representative": f"canary-{letters}"}  # a name has no digits


def test_an_erasure_on_demand_leaves_nothing_readable_and_is_acknowledged_by_all(
    clean_desk: RealDesk, words: dict[str, str]
):
    desk, applicant, province = clean_desk, clean_desk.applicant(6), clean_desk.province
    before_upload = objects_in(desk)
    file = applicant.upload(f"{words['file']}.pdf", PDF)
    sender = {"name": words["representative"], "national_id": "0013542419", "mobile": "09127654321"}
    code = desk.submit(6, text=f"{words['text']} سلام", attachments=[file], representative=sender).code
    other = desk.submit(7, text="متن درخواست دیگری که می‌ماند").code
    wait_for(lambda: province.of(code))
    province.report(code, "case-info-requested", 1, question=words["question"])
    token = applicant.sees(code, "info_requested")["token"]
    reply_file = applicant.upload_for_reply(token, f"{words['file']}-2.pdf", PDF).json()["id"]
    assert applicant.reply(token, words["reply"], [reply_file]).status_code == 200
    wait_for(lambda: province.of(code, "request-replied"))
    province.report(code, "case-answered", 2, text=words["answer"])
    applicant.sees(code, "answered")
    email = "applicant-6@example.com"
    wait_for(lambda: email in readable(desk, "notifier"))
    stored = {name: readable(desk, name) for name in SERVICES}
    assert {word for word in words.values() if any(word in each for each in stored.values())} == set(words.values())
    national_id = applicant.person["national_id"]
    assert national_id in stored["tracking"]
    assert national_id in stored["intake"]
    assert len(objects_in(desk) - before_upload) == 2

    certificate = privacy(desk, "erase", code, "--reason", "court-order")
    [asked] = wait_for(lambda: province.of(code, "request-erased"))
    assert asked["data"]["certificate_id"] == certificate["certificate_id"]
    assert [each["certificate_id"] for each in privacy(desk, "pending")] == [certificate["certificate_id"]]
    province.report(code, "case-erased", 3, certificate_id=certificate["certificate_id"])
    wait_for(lambda: privacy(desk, "certificate", code)["complete"])

    left = {name: readable(desk, name) for name in SERVICES}
    assert not [word for word in (*words.values(), national_id, email) if any(word in each for each in left.values())]
    assert "درخواست دیگری" in left["tracking"], "only this request is erased"
    assert objects_in(desk) == before_upload
    done = privacy(desk, "certificate", code)
    assert {each["name"] for each in done["asked"]} == {"intake", "notifier", "isfahan"}
    assert done["reason"] == "court-order"
    assert not [word for word in (*words.values(), national_id, email) if word in json.dumps(done)]
    assert applicant.track(code).status_code == 404
    assert applicant.client.get(f"/api/files/{file}", headers={"Authorization": f"Bearer {token}"}).status_code == 404
    province.report(code, "case-answered", 4, text=words["answer"])
    [refused] = wait_for(lambda: province.of(code, "case-refused"))
    assert refused["data"]["reason"] == "erased"
    assert desk.applicant(7).track(other).status_code == 200
    assert privacy(desk, "statistics").splitlines()[0].startswith("month,province,subject")
