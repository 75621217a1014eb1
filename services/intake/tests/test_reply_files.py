"""The files of a reply: put up by the tracking token, set aside for one reply, kept once that is announced."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from desk.chassis.bus import ContractError
from desk.chassis.crypto import TokenIssuer
from desk.intake.domain import FILES_MAX
from desk.intake.workers.upload_cleanup import UploadCleanup

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""

REPLY, OTHER_REPLY = "a" * 64, "b" * 64


@pytest.fixture
async def code(desk):
    """A request with a file, whose experts have asked something."""
    answer = await desk.submit(attachments=[await desk.attachment()])
    assert answer.status_code == 201, answer.text
    return answer.json()["tracking_code"]


@pytest.fixture
def page(desk, code, tracking_private_key, pdf):
    """The tracking page of that request."""

    class Page:
        def headers(self, actions=("reply", "withdraw"), code=code, audience="desk.tracking", seconds=60):
            claims = {"sub": code} | ({} if actions is None else {"actions": list(actions)})
            token, _ = TokenIssuer(tracking_private_key, "tracking").issue(claims, audience=audience, seconds=seconds)
            return {"Authorization": f"Bearer {token}"}

        async def put_up(self, content=pdf, name="گذرنامه.pdf", headers=None):
            sent = {"file": (name, content)}
            return await desk.client.post("/api/files", files=sent, headers=headers or self.headers())

        async def file(self):
            answer = await self.put_up()
            assert answer.status_code == 201, answer.text
            return answer.json()["id"]

        async def take_back(self, file_id, headers=None):
            return await desk.client.delete(f"/api/files/{file_id}", headers=headers or self.headers())

        async def link(self, file_id):
            return await desk.client.get(f"/api/files/{file_id}", headers=self.headers())

    return Page()


@pytest.fixture
def set_aside(desk, code):
    """Ask as tracking does."""

    async def set_aside(*ids, reply=REPLY, code=code):
        form = {"tracking_code": code, "reply": reply, "files": list(ids)}
        return await desk.client.post("/internal/requests/files", json=form)

    return set_aside


@pytest.fixture
def announce(desk, code):
    async def announce(*ids, code=code):
        await desk.hear("request-replied", code, text="پاسخ", files=[{"id": each, "name": "x"} for each in ids])

    return announce


@pytest.fixture
def sweep(desk):
    async def sweep():
        return await UploadCleanup(desk.parts.database, desk.parts.vault, desk.storage).delete_batch()

    return sweep


async def older(desk, column, days):
    then = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")
    await desk.change(f"UPDATE attachment SET {column} = '{then}' WHERE {column} IS NOT NULL")  # noqa: S608 - our own columns


async def test_a_file_for_a_reply_is_checked_and_kept_like_one_of_a_request(desk, page, pdf):
    answer = await page.put_up()

    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    taken = answer.json()
    assert (taken["name"], taken["size"], taken["media_type"]) == ("گذرنامه.pdf", len(pdf), "application/pdf")
    assert taken["id"] in desk.objects()


@sqlite_only
@pytest.mark.parametrize(
    ("content", "name", "status", "problem"),
    [
        (b"", "x.pdf", 422, "file_empty"),
        (b"MZ" + bytes(200), "x.pdf", 415, "file_type_forbidden"),
        (b"%PDF-1.4 " + bytes(7 * 1024 * 1024), "x.pdf", 413, "file_too_large"),
        (b"%PDF-1.4 x", "x.png", 415, "file_type_mismatch"),
    ],
)
async def test_what_a_request_may_not_carry_a_reply_may_not(desk, page, problem_of, content, name, status, problem):  # noqa: PLR0917 - three fixtures, four values
    before = desk.objects()

    assert problem_of(await page.put_up(content, name), status)["code"] == problem
    assert desk.objects() == before


async def test_no_more_files_wait_than_a_request_may_carry(page, set_aside, problem_of):
    ids = [await page.file() for _ in range(FILES_MAX)]

    assert problem_of(await page.put_up(), 409)["code"] == "too_many_files"

    assert (await page.take_back(ids.pop())).status_code == 204
    await page.file()
    assert (await set_aside(*ids)).status_code == 200
    await page.file()


async def test_uploads_of_both_kinds_are_counted_together(desk, page, problem_of):
    desk.limit_uploads("2/hour")
    await desk.attachment()
    await page.file()

    problem_of(await page.put_up(), 429)


@pytest.mark.parametrize("actions", [None, (), ("withdraw", "rate")])
async def test_nothing_is_taken_while_nobody_asks(desk, page, problem_of, actions):
    before = desk.objects()

    answer = await page.put_up(headers=page.headers(actions))

    assert problem_of(answer, 409)["code"] == "reply_not_possible"
    assert desk.objects() == before


@sqlite_only
@pytest.mark.parametrize("wrong", [{"audience": "desk.identity"}, {"seconds": -1}], ids=["other", "old"])
async def test_a_token_that_does_not_hold_opens_nothing(page, problem_of, wrong):
    headers = page.headers(**wrong)

    for answer in (await page.put_up(headers=headers), await page.take_back(uuid.uuid4(), headers)):
        assert problem_of(answer, 401)["code"] == "tracking_token_invalid"


async def test_without_a_token_nothing_is_taken(desk, problem_of, pdf):
    answer = await desk.client.post("/api/files", files={"file": ("x.pdf", pdf)})

    assert problem_of(answer, 401)["code"] == "tracking_token_missing"


async def test_a_token_of_a_request_intake_does_not_have_is_of_no_use(page, problem_of):
    answer = await page.put_up(headers=page.headers(code="000000000000"))

    assert problem_of(answer, 404)["code"] == "request_not_found"


async def test_files_set_aside_are_told_with_all_an_event_says_of_them(page, set_aside, pdf):
    one, two = await page.file(), await page.file()

    answer = await set_aside(two, one)

    assert answer.status_code == 200, answer.text
    assert [each["id"] for each in answer.json()] == [two, one], "in the order of the reply"
    assert {each["size"] for each in answer.json()} == {len(pdf)}
    assert {len(each["sha256"]) for each in answer.json()} == {64}


async def test_the_same_reply_is_given_the_same_again(page, set_aside, announce):
    file_id = await page.file()
    first = await set_aside(file_id)

    assert (await set_aside(file_id)).json() == first.json()
    await announce(file_id)
    assert (await set_aside(file_id)).json() == first.json()


async def test_replicas_that_ask_at_once_are_given_the_same(page, set_aside):
    file_id = await page.file()

    answers = await asyncio.gather(*(set_aside(file_id) for _ in range(4)))

    assert [answer.json()[0]["id"] for answer in answers] == [file_id] * 4


async def test_a_file_is_of_one_reply(page, set_aside, problem_of):
    file_id = await page.file()
    await set_aside(file_id)

    assert problem_of(await set_aside(file_id, reply=OTHER_REPLY), 422)["code"] == "attachment_unknown"


async def test_all_files_of_a_reply_are_set_aside_or_none(page, set_aside, problem_of):
    file_id = await page.file()

    problem_of(await set_aside(file_id, str(uuid.uuid4())), 422)

    assert (await set_aside(file_id, reply=OTHER_REPLY)).status_code == 200


async def test_a_file_of_another_request_or_of_none_is_unknown(desk, page, set_aside, problem_of):
    other = (await desk.submit()).json()["tracking_code"]
    file_id = await page.file()

    problem_of(await set_aside(file_id, code=other), 422)
    problem_of(await set_aside(await desk.attachment()), 422)
    assert problem_of(await set_aside(file_id, code="000000000000"), 404)["code"] == "request_not_found"


async def test_a_file_that_was_set_aside_cannot_be_taken_back_or_sent_with_another_request(
    desk, page, set_aside, problem_of
):
    file_id = await page.file()
    await set_aside(file_id)

    assert problem_of(await page.take_back(file_id), 404)["code"] == "attachment_unknown"
    assert problem_of(await desk.submit(attachments=[file_id]), 422)["code"] == "attachment_unknown"


async def test_a_lost_object_is_noticed_before_the_reply_is_taken(desk, page, set_aside, problem_of):
    file_id = await page.file()
    await desk.storage.delete(file_id)

    problem_of(await set_aside(file_id), 422)

    assert await desk.select("SELECT count(*) FROM attachment WHERE promised_at IS NOT NULL") == [(0,)]


async def test_applicant_and_province_open_a_file_of_a_reply(desk, page, set_aside, announce, province_private_keys):
    file_id = await page.file()
    assert (await page.link(file_id)).status_code == 404, "nobody's as yet"
    await set_aside(file_id)
    await announce(file_id)

    async def province(key):
        assertion, _ = TokenIssuer(province_private_keys[key], key).issue({}, audience="desk.files", seconds=60)
        headers = {"Authorization": f"Bearer {assertion}"}
        return (await desk.client.get(f"/api/province/files/{file_id}", headers=headers)).status_code

    assert (await page.link(file_id)).status_code == 200
    assert (await province("isfahan"), await province("qom")) == (200, 404)


async def test_a_repeated_submission_says_how_many_files_it_had(desk, page, set_aside, tracking_private_key):
    form = desk.form(attachments=[])
    code = (await desk.submit(form, key="the-same-key")).json()["tracking_code"]
    file_id = (await page.put_up(headers=page.headers(code=code))).json()["id"]
    assert (await set_aside(file_id, code=code)).status_code == 200

    assert (await desk.submit(form, key="the-same-key")).json()["attachments"] == 0


async def test_a_file_no_reply_has_named_goes_after_a_day(desk, page, sweep):
    file_id = await page.file()
    await older(desk, "uploaded_at", 2)

    assert await sweep() == 1
    assert file_id not in desk.objects()


async def test_a_file_set_aside_waits_a_month_for_its_reply_to_be_announced(desk, page, set_aside, sweep):
    file_id = await page.file()
    await set_aside(file_id)
    await older(desk, "uploaded_at", 29)
    await older(desk, "promised_at", 29)
    assert (await sweep(), file_id in desk.objects()) == (0, True)

    await older(desk, "promised_at", 31)

    assert (await sweep(), file_id in desk.objects()) == (1, False)
    assert await desk.count("attachment") == 1, "the request's own"


async def test_a_file_of_an_announced_reply_stays(desk, page, set_aside, announce, sweep):
    file_id = await page.file()
    await set_aside(file_id)
    await announce(file_id)
    await announce(file_id)
    await older(desk, "uploaded_at", 400)

    assert (await sweep(), file_id in desk.objects()) == (0, True)


async def test_what_waits_for_its_reply_is_counted_for_the_comparison(desk, page, set_aside, announce):
    file_id = await page.file()
    await set_aside(file_id)

    async def unannounced(until):
        form = {"since": "2020-01-01T00:00:00Z", "until": until}
        return (await desk.client.post("/internal/requests/codes", json=form)).json()["files_unannounced"]

    assert (await unannounced("2020-02-01T00:00:00Z"), await unannounced("2100-01-01T00:00:00Z")) == (0, 1)
    await announce(file_id)
    assert await unannounced("2100-01-01T00:00:00Z") == 0


async def test_a_reply_without_files_is_none_of_intake_s_business(announce):
    await announce(code="000000000000")


async def test_a_reply_to_a_request_intake_has_not_taken_can_never_be_handled(announce):
    with pytest.raises(ContractError):
        await announce(str(uuid.uuid4()), code="000000000000")
