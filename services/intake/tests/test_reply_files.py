"""The files of a reply: uploaded with a tracking token, promised to one reply, kept once it is published."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
    """A request with a file, whose experts have asked a question."""
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

        async def upload(self, content=pdf, name="گذرنامه.pdf", headers=None):
            sent = {"file": (name, content)}
            return await desk.client.post("/api/files", files=sent, headers=headers or self.headers())

        async def file(self):
            answer = await self.upload()
            assert answer.status_code == 201, answer.text
            return answer.json()["id"]

        async def remove(self, file_id, headers=None):
            return await desk.client.delete(f"/api/files/{file_id}", headers=headers or self.headers())

        async def download(self, file_id):
            return await desk.client.get(f"/api/files/{file_id}", headers=self.headers())

    return Page()


@pytest.fixture
def promise(desk, code):
    """Promise files as tracking does."""

    async def promise(*ids, reply=REPLY, code=code):
        form = {"tracking_code": code, "reply": reply, "files": list(ids)}
        return await desk.client.post("/internal/requests/files", json=form)

    return promise


@pytest.fixture
def publish_reply(desk, code):
    async def publish_reply(*ids, code=code):
        await desk.publish_from_tracking(
            "request-replied", code, text="پاسخ", files=[{"id": each, "name": "x"} for each in ids]
        )

    return publish_reply


@pytest.fixture
def delete_expired(desk):
    async def delete_expired():
        return await UploadCleanup(desk.parts.database, desk.parts.vault, desk.storage).delete_batch()

    return delete_expired


async def older(desk, column, days):
    then = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")
    await desk.change(f"UPDATE attachment SET {column} = '{then}' WHERE {column} IS NOT NULL")  # noqa: S608 - our own columns


async def test_a_file_for_a_reply_is_checked_and_stored_like_one_of_a_request(desk, page, pdf):
    answer = await page.upload()

    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    taken = answer.json()
    assert (taken["name"], taken["size"], taken["media_type"]) == ("گذرنامه.pdf", len(pdf), "application/pdf")
    assert taken["id"] in await desk.objects()


@sqlite_only
@pytest.mark.parametrize(
    ("content", "name", "status", "problem"),
    [
        (b"", "x.pdf", 422, "file_empty"),
        (b"MZ" + bytes(200), "x.pdf", 415, "file_type_forbidden"),
        (b"%PDF-1.4 " + bytes(7 * 1024 * 1024), "x.pdf", 413, "file_too_large"),
        ((Path(__file__).parent / "files" / "photo.jfif").read_bytes(), "x.pdf", 415, "file_type_mismatch"),
    ],
)
async def test_a_file_refused_for_a_request_is_refused_for_a_reply(  # noqa: PLR0917 - three fixtures, four values
    desk, page, problem_of, content, name, status, problem
):
    before = await desk.objects()

    assert problem_of(await page.upload(content, name), status)["code"] == problem
    assert await desk.objects() == before


async def test_a_reply_has_the_file_limit_of_a_request(page, promise, problem_of):
    ids = [await page.file() for _ in range(FILES_MAX)]

    assert problem_of(await page.upload(), 409)["code"] == "too_many_files"

    assert (await page.remove(ids.pop())).status_code == 204
    await page.file()
    assert (await promise(*ids)).status_code == 200
    await page.file()


async def test_uploads_for_requests_and_replies_share_a_rate_limit(desk, page, problem_of):
    desk.limit_uploads("2/hour")
    await desk.attachment()
    await page.file()

    problem_of(await page.upload(), 429)


@pytest.mark.parametrize("actions", [None, (), ("withdraw", "rate")])
async def test_an_upload_without_a_question_is_refused(desk, page, problem_of, actions):
    before = await desk.objects()

    answer = await page.upload(headers=page.headers(actions))

    assert problem_of(answer, 409)["code"] == "reply_not_possible"
    assert await desk.objects() == before


@sqlite_only
@pytest.mark.parametrize("wrong", [{"audience": "desk.identity"}, {"seconds": -1}], ids=["other", "old"])
async def test_an_invalid_tracking_token_is_refused(page, problem_of, wrong):
    headers = page.headers(**wrong)

    for answer in (await page.upload(headers=headers), await page.remove(uuid.uuid4(), headers)):
        assert problem_of(answer, 401)["code"] == "tracking_token_invalid"


async def test_an_upload_without_a_token_is_refused(desk, problem_of, pdf):
    answer = await desk.client.post("/api/files", files={"file": ("x.pdf", pdf)})

    assert problem_of(answer, 401)["code"] == "tracking_token_missing"


async def test_a_token_of_an_unknown_request_is_refused(page, problem_of):
    answer = await page.upload(headers=page.headers(code="000000000000"))

    assert problem_of(answer, 404)["code"] == "request_not_found"


async def test_promised_files_are_returned_with_all_fields_of_the_event(page, promise, pdf):
    one, two = await page.file(), await page.file()

    answer = await promise(two, one)

    assert answer.status_code == 200, answer.text
    assert [each["id"] for each in answer.json()] == [two, one], "in the order of the reply"
    assert {each["size"] for each in answer.json()} == {len(pdf)}
    assert {len(each["sha256"]) for each in answer.json()} == {64}


async def test_the_same_reply_gets_the_same_files_again(page, promise, publish_reply):
    file_id = await page.file()
    first = await promise(file_id)

    assert (await promise(file_id)).json() == first.json()
    await publish_reply(file_id)
    assert (await promise(file_id)).json() == first.json()


async def test_simultaneous_promises_of_a_reply_return_the_same_file(page, promise):
    file_id = await page.file()

    answers = await asyncio.gather(*(promise(file_id) for _ in range(4)))

    assert [answer.json()[0]["id"] for answer in answers] == [file_id] * 4


async def test_a_file_belongs_to_one_reply(page, promise, problem_of):
    file_id = await page.file()
    await promise(file_id)

    assert problem_of(await promise(file_id, reply=OTHER_REPLY), 422)["code"] == "attachment_unknown"


async def test_all_files_of_a_reply_are_promised_or_none(page, promise, problem_of):
    file_id = await page.file()

    problem_of(await promise(file_id, str(uuid.uuid4())), 422)

    assert (await promise(file_id, reply=OTHER_REPLY)).status_code == 200


async def test_a_file_of_another_request_or_session_is_unknown(desk, page, promise, problem_of):
    other = (await desk.submit()).json()["tracking_code"]
    file_id = await page.file()

    problem_of(await promise(file_id, code=other), 422)
    problem_of(await promise(await desk.attachment()), 422)
    assert problem_of(await promise(file_id, code="000000000000"), 404)["code"] == "request_not_found"


async def test_a_promised_file_can_be_neither_removed_nor_attached(desk, page, promise, problem_of):
    file_id = await page.file()
    await promise(file_id)

    assert problem_of(await page.remove(file_id), 404)["code"] == "attachment_unknown"
    assert problem_of(await desk.submit(attachments=[file_id]), 422)["code"] == "attachment_unknown"


async def test_a_missing_object_is_detected_before_the_reply_is_accepted(desk, page, promise, problem_of):
    file_id = await page.file()
    (await desk.object_of(file_id)).unlink()

    problem_of(await promise(file_id), 422)

    assert await desk.select("SELECT count(*) FROM attachment WHERE promised_at IS NOT NULL") == [(0,)]


async def test_applicant_and_province_download_a_file_of_a_reply(
    desk, page, promise, publish_reply, province_private_keys
):
    file_id = await page.file()
    assert (await page.download(file_id)).status_code == 404, "not part of a request yet"
    await promise(file_id)
    await publish_reply(file_id)

    async def province(key):
        assertion, _ = TokenIssuer(province_private_keys[key], key).issue({}, audience="desk.files", seconds=60)
        headers = {"Authorization": f"Bearer {assertion}"}
        return (await desk.client.get(f"/api/office/files/{file_id}", headers=headers)).status_code

    assert (await page.download(file_id)).status_code == 200
    assert (await province("isfahan"), await province("qom")) == (200, 404)


async def test_a_repeated_submission_does_not_count_files_of_replies(desk, page, promise, tracking_private_key):
    form = desk.form(attachments=[])
    code = (await desk.submit(form, key="the-same-key")).json()["tracking_code"]
    file_id = (await page.upload(headers=page.headers(code=code))).json()["id"]
    assert (await promise(file_id, code=code)).status_code == 200

    assert (await desk.submit(form, key="the-same-key")).json()["attachments"] == 0


async def test_a_file_that_was_not_promised_is_deleted_after_a_day(desk, page, delete_expired):
    file_id = await page.file()
    await older(desk, "uploaded_at", 2)

    assert await delete_expired() == 1
    assert file_id not in await desk.objects()


async def test_a_promised_file_is_deleted_if_its_reply_is_not_published_within_a_month(
    desk, page, promise, delete_expired
):
    file_id = await page.file()
    await promise(file_id)
    await older(desk, "uploaded_at", 29)
    await older(desk, "promised_at", 29)
    assert (await delete_expired(), file_id in await desk.objects()) == (0, True)

    await older(desk, "promised_at", 31)

    assert (await delete_expired(), file_id in await desk.objects()) == (1, False)
    assert await desk.count("attachment") == 1, "the request's own"


async def test_a_file_of_a_published_reply_stays(desk, page, promise, publish_reply, delete_expired):
    file_id = await page.file()
    await promise(file_id)
    await publish_reply(file_id)
    await publish_reply(file_id)
    await older(desk, "uploaded_at", 400)

    assert (await delete_expired(), file_id in await desk.objects()) == (0, True)


async def test_promised_files_are_counted_for_reconciliation(desk, page, promise, publish_reply):
    file_id = await page.file()
    await promise(file_id)

    async def promised_before(until):
        form = {"since": "2020-01-01T00:00:00Z", "until": until}
        return (await desk.client.post("/internal/requests/codes", json=form)).json()["files_unannounced"]

    assert (await promised_before("2020-02-01T00:00:00Z"), await promised_before("2100-01-01T00:00:00Z")) == (0, 1)
    await publish_reply(file_id)
    assert await promised_before("2100-01-01T00:00:00Z") == 0


async def test_a_reply_without_files_is_ignored(publish_reply):
    await publish_reply(code="000000000000")


async def test_a_reply_to_an_unknown_request_violates_the_contract(publish_reply):
    with pytest.raises(ContractError):
        await publish_reply(str(uuid.uuid4()), code="000000000000")
