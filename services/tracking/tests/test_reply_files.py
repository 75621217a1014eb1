"""A reply with files: intake sets them aside first, and province, history and page are told of them."""

import asyncio
import uuid

import httpx
import pytest

from desk.chassis.crypto import TokenReader

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Reads the file of the database, which PostgreSQL keeps elsewhere."""
TEXT = "تصویر گذرنامه پیوست است."
SET_ASIDE = "/internal/requests/files"


@pytest.fixture
def file(tracking):
    """Let intake have one more file."""

    def file(name="گذرنامه.pdf"):
        known = {"id": str(uuid.uuid4()), "name": name, "size": 12, "media_type": "application/pdf", "sha256": "c" * 64}
        tracking.peers.files.append(known)
        return known

    return file


@pytest.fixture
async def asked(tracking):
    """A case whose experts have asked something."""
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    return code


def reply(*files):
    return {"text": TEXT, "files": [each["id"] for each in files]}


async def test_the_province_is_told_of_the_files_as_of_a_request_s(tracking, asked, file):
    files = [file(), file("دوم.pdf")]

    answer = await tracking.act("replies", asked, reply(*files))

    assert (answer.status_code, answer.json()["state"]) == (200, "in_progress")
    [told] = await tracking.published("request-replied")
    assert told["data"]["files"] == files
    assert told["data"]["text"] == TEXT


async def test_the_applicant_sees_what_was_sent_in_the_history(tracking, asked, file):
    sent = file()
    await tracking.act("replies", asked, reply(sent))

    history = (await tracking.look_up(asked)).json()["history"]

    assert history[-1]["files"] == [{"id": sent["id"], "name": sent["name"], "size": sent["size"]}]
    assert [step["files"] for step in history[:-1]] == [[], []]


@ON_SQLITE
async def test_names_of_files_cannot_be_read_in_the_database(tracking, asked, file):
    await tracking.act("replies", asked, reply(file("نام‌محرمانه.pdf")))

    assert "نام‌محرمانه".encode() not in tracking.stored_bytes()
    assert b"\\u0645\\u062d\\u0631\\u0645" not in tracking.stored_bytes()


async def test_intake_is_not_asked_for_a_reply_without_files(tracking, asked):
    answer = await tracking.act("replies", asked, {"text": TEXT})

    assert (answer.status_code, tracking.peers.calls_to(SET_ASIDE)) == (200, [])


async def test_a_file_intake_does_not_have_is_said_at_its_field_and_nothing_is_done(tracking, asked, file):
    answer = await tracking.act("replies", asked, {"text": TEXT, "files": [file()["id"], str(uuid.uuid4())]})

    assert (answer.status_code, answer.json()["code"]) == (422, "attachment_unknown")
    assert [error["field"] for error in answer.json()["errors"]] == ["files"]
    assert await tracking.state(asked) == "info_requested"
    assert await tracking.published("request-replied") == []


@pytest.mark.parametrize("away", [httpx.ConnectError("no route"), httpx.Response(503), httpx.Response(200, text="<p>")])
async def test_while_intake_is_away_a_reply_with_files_waits_and_one_without_does_not(tracking, asked, file, away):
    tracking.peers.intake = away

    answer = await tracking.act("replies", asked, reply(file()))

    assert answer.status_code == 503
    assert await tracking.state(asked) == "info_requested"
    assert (await tracking.act("replies", asked, {"text": TEXT}, key="key-00000002")).status_code == 200


async def test_a_double_click_is_one_reply(tracking, asked, file):
    body = reply(file())

    answers = await asyncio.gather(*(tracking.act("replies", asked, body) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(await tracking.published("request-replied")) == 1
    assert len({body["reply"] for _, body in tracking.peers.calls_to(SET_ASIDE)}) == 1


async def test_a_repeat_is_answered_without_asking_intake_again(tracking, asked, file):
    body = reply(file())
    await tracking.act("replies", asked, body)
    await tracking.report("case-answered", asked, seq=2)
    tracking.peers.intake = httpx.ConnectError("no route")

    answer = await tracking.act("replies", asked, body)

    assert (answer.status_code, answer.json()["state"]) == (200, "answered")
    assert len(tracking.peers.calls_to(SET_ASIDE)) == 1


@pytest.mark.parametrize("other", [[], ["another"]], ids=["none", "another"])
async def test_a_key_is_not_for_other_files(tracking, asked, file, other):
    await tracking.act("replies", asked, reply(file()))

    answer = await tracking.act("replies", asked, reply(*(file() for _ in other)))

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_nothing_is_set_aside_for_what_cannot_be_done(tracking, file):
    code = await tracking.submit()

    answer = await tracking.act("replies", code, reply(file()))

    assert (answer.status_code, answer.json()["code"]) == (409, "action_not_possible")
    assert tracking.peers.calls_to(SET_ASIDE) == []


async def test_an_answer_that_crosses_a_reply_leaves_it_undone(tracking, asked, file, monkeypatch):
    intake = tracking.services.actions.intake
    reserve_files = type(intake).reserve_files

    async def overtaken(*given):
        found = await reserve_files(*given)
        await tracking.report("case-answered", asked, seq=2)
        return found

    monkeypatch.setattr(type(intake), "reserve_files", overtaken)

    answer = await tracking.act("replies", asked, reply(file()))

    assert (answer.status_code, answer.json()["code"]) == (409, "action_not_possible")
    assert await tracking.states(asked) == ["registered", "info_requested", "answered"]
    assert await tracking.published("request-replied") == []


async def test_more_files_than_a_request_may_carry_are_too_many(tracking, asked, file):
    answer = await tracking.act("replies", asked, reply(*(file() for _ in range(6))))

    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("files", "too_many_files")]


async def test_a_file_named_twice_is_sent_once(tracking, asked, file):
    sent = file()

    await tracking.act("replies", asked, reply(sent, sent))

    [told] = await tracking.published("request-replied")
    assert told["data"]["files"] == [sent]


async def test_the_token_says_what_may_be_done_so_that_intake_takes_files_then_alone(tracking, asked):
    reader = TokenReader(tracking.public_key, issuer="tracking", audience="desk.tracking")

    before = reader.read((await tracking.look_up(asked)).json()["token"])
    after = reader.read((await tracking.act("replies", asked, {"text": TEXT})).json()["token"])

    assert (before["actions"], after["actions"]) == (["reply", "withdraw"], ["withdraw"])
