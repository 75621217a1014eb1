"""A reply with files: reserved at intake first, then published, in the history and in the response."""

import asyncio
import uuid

import httpx
import pytest

from desk.chassis.crypto import TokenReader

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Reads the file of the database, which PostgreSQL keeps elsewhere."""
TEXT = "تصویر گذرنامه پیوست است."
RESERVE = "/internal/requests/files"


@pytest.fixture
def file(tracking):
    """Return a function that uploads a file at intake."""

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


async def test_the_files_of_a_reply_are_published_to_the_province(tracking, asked, file):
    files = [file(), file("دوم.pdf")]

    answer = await tracking.act("replies", asked, reply(*files))

    assert (answer.status_code, answer.json()["state"]) == (200, "in_progress")
    [event] = await tracking.published("request-replied")
    assert event["data"]["files"] == [each | {"document": None} for each in files]
    assert event["data"]["text"] == TEXT


async def test_the_files_of_a_reply_are_shown_in_the_history(tracking, asked, file):
    sent = file()
    await tracking.act("replies", asked, reply(sent))

    history = (await tracking.look_up(asked)).json()["history"]

    assert history[-1]["files"] == [{"id": sent["id"], "name": sent["name"], "size": sent["size"]}]
    assert [entry["files"] for entry in history[:-1]] == [[], []]


@ON_SQLITE
async def test_names_of_files_cannot_be_read_in_the_database(tracking, asked, file):
    await tracking.act("replies", asked, reply(file("نام‌محرمانه.pdf")))

    assert "نام‌محرمانه".encode() not in tracking.stored_bytes()
    assert b"\\u0645\\u062d\\u0631\\u0645" not in tracking.stored_bytes()


async def test_a_reply_without_files_causes_no_call_to_intake(tracking, asked):
    answer = await tracking.act("replies", asked, {"text": TEXT})

    assert (answer.status_code, tracking.peers.calls_to(RESERVE)) == (200, [])


async def test_an_unknown_file_is_an_error_of_its_field_and_changes_nothing(tracking, asked, file):
    answer = await tracking.act("replies", asked, {"text": TEXT, "files": [file()["id"], str(uuid.uuid4())]})

    assert (answer.status_code, answer.json()["code"]) == (422, "attachment_unknown")
    assert [error["field"] for error in answer.json()["errors"]] == ["files"]
    assert await tracking.state(asked) == "info_requested"
    assert await tracking.published("request-replied") == []


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("no route"), httpx.Response(503), httpx.Response(200, text="<p>")]
)
async def test_only_a_reply_with_files_fails_while_intake_is_unavailable(tracking, asked, file, failure):
    tracking.peers.intake = failure

    answer = await tracking.act("replies", asked, reply(file()))

    assert answer.status_code == 503
    assert await tracking.state(asked) == "info_requested"
    assert (await tracking.act("replies", asked, {"text": TEXT}, key="key-00000002")).status_code == 200


async def test_a_double_click_is_one_reply(tracking, asked, file):
    body = reply(file())

    answers = await asyncio.gather(*(tracking.act("replies", asked, body) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(await tracking.published("request-replied")) == 1
    assert len({body["reply"] for _, body in tracking.peers.calls_to(RESERVE)}) == 1


async def test_a_repeat_causes_no_second_call_to_intake(tracking, asked, file):
    body = reply(file())
    await tracking.act("replies", asked, body)
    await tracking.report("case-answered", asked, seq=2)
    tracking.peers.intake = httpx.ConnectError("no route")

    answer = await tracking.act("replies", asked, body)

    assert (answer.status_code, answer.json()["state"]) == (200, "answered")
    assert len(tracking.peers.calls_to(RESERVE)) == 1


@pytest.mark.parametrize("other", [[], ["another"]], ids=["none", "another"])
async def test_a_key_cannot_be_reused_with_other_files(tracking, asked, file, other):
    await tracking.act("replies", asked, reply(file()))

    answer = await tracking.act("replies", asked, reply(*(file() for _ in other)))

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_an_action_that_is_not_possible_reserves_no_files(tracking, file):
    code = await tracking.submit()

    answer = await tracking.act("replies", code, reply(file()))

    assert (answer.status_code, answer.json()["code"]) == (409, "action_not_possible")
    assert tracking.peers.calls_to(RESERVE) == []


async def test_a_reply_fails_if_an_answer_arrives_before_it(tracking, asked, file, monkeypatch):
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


async def test_too_many_files_are_refused(tracking, asked, file):
    answer = await tracking.act("replies", asked, reply(*(file() for _ in range(6))))

    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("files", "too_many_files")]


async def test_a_file_named_twice_is_sent_once(tracking, asked, file):
    sent = file()

    await tracking.act("replies", asked, reply(sent, sent))

    [event] = await tracking.published("request-replied")
    assert event["data"]["files"] == [sent | {"document": None}]


async def test_the_token_lists_the_possible_actions_for_intake(tracking, asked):
    reader = TokenReader(tracking.public_key, issuer="tracking", audience="desk.tracking")

    before = reader.read((await tracking.look_up(asked)).json()["token"])
    after = reader.read((await tracking.act("replies", asked, {"text": TEXT})).json()["token"])

    assert (before["actions"], after["actions"]) == (["reply", "withdraw"], ["withdraw"])
