import asyncio
import hashlib
import sqlite3
import uuid

import pytest
from sqlalchemy.exc import OperationalError

from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.intake.store import AttachmentStore

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""

LARGEST = 7 * 1024 * 1024


def form_of(*parts, boundary="----desk"):
    """Return a multipart body of (headers, content) pairs."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"
        for disposition, content in parts
    )
    return body + f"--{boundary}--\r\n".encode()


@pytest.fixture
def post(desk):
    """Post raw bytes."""

    async def post(body, content_type="multipart/form-data; boundary=----desk", token=None):
        headers = {"Authorization": f"Bearer {token or desk.token()}", "Content-Type": content_type}
        return await desk.client.post("/api/attachments", content=body, headers=headers)

    return post


@pytest.fixture
def nothing_kept(desk):
    async def check():
        assert await desk.count("attachment") == 0
        assert await desk.objects() == set()

    return check


async def in_pieces(body):
    for start in range(0, len(body), 256 * 1024):
        yield body[start : start + 256 * 1024]


async def test_a_file_is_stored_and_described(desk, pdf):
    answer = await desk.upload(pdf, "قبض.pdf")

    assert answer.status_code == 201
    shown = answer.json()
    assert set(shown) == {"id", "name", "size", "media_type", "sha256"}
    assert (shown["name"], shown["size"]) == ("قبض.pdf", len(pdf))
    assert shown["sha256"] == hashlib.sha256(pdf).hexdigest()


async def test_the_response_is_not_cached(desk):
    assert (await desk.upload()).headers["cache-control"] == "no-store"


async def test_the_database_contains_neither_owner_nor_name_of_a_file_in_clear(desk, zahra):
    file_id = await desk.attachment()

    written = await desk.written()

    assert file_id.encode() in written, "the test looks into the right files"
    assert "قبض.pdf".encode() not in written
    assert zahra["sub"].encode() not in written


@sqlite_only
async def test_seven_megabytes_exactly_are_taken(desk, pdf):
    assert (await desk.upload(pdf.ljust(LARGEST, b"\0"))).json()["size"] == LARGEST


@sqlite_only
@pytest.mark.parametrize("beyond", [1, 1024 * 1024])
@pytest.mark.parametrize("send", [bytes, in_pieces])
async def test_one_byte_more_is_refused_with_and_without_a_content_length(post, nothing_kept, problem_of, beyond, send):
    body = form_of(('name="file"; filename="a.pdf"', b"%PDF-1.4".ljust(LARGEST + beyond, b"\0")))

    problem = problem_of(await post(send(body)), 413)

    assert problem["code"] == "file_too_large"
    assert [error["field"] for error in problem["errors"]] == ["file"]
    await nothing_kept()


@sqlite_only
async def test_reading_an_endless_body_ends_soon_after_the_limit(post, pdf):
    sent = 0

    async def endless():
        nonlocal sent
        yield form_of(('name="file"; filename="a.pdf"', pdf)).rpartition(b"\r\n------desk--")[0]
        while True:
            sent += 64 * 1024
            yield bytes(64 * 1024)

    assert (await post(endless())).status_code == 413
    assert sent < LARGEST + 256 * 1024


@sqlite_only
async def test_an_empty_file_is_refused(desk, problem_of, nothing_kept):
    assert problem_of(await desk.upload(b""), 422)["code"] == "file_empty"
    await nothing_kept()


FORM = "multipart/form-data; boundary=----desk"
NO_FILE = {
    "another part": (form_of(('name="other"; filename="a.pdf"', b"%PDF-1.4")), FORM),
    "text": (form_of(('name="file"', b"%PDF-1.4")), FORM),
    "no parts": (form_of(), FORM),
    "nothing": (b"", FORM),
    "no form": (b"%PDF-1.4", "application/pdf"),
    "JSON": (b'{"file": "a.pdf"}', "application/json"),
    "an old form": (b"file=a.pdf", "application/x-www-form-urlencoded"),
}
UNREADABLE = {
    "no boundary": (form_of(('name="file"; filename="a.pdf"', b"%PDF-1.4")), "multipart/form-data"),
    "no parts": (b"no form at all", FORM),
    "no name": (form_of(('filename="a.pdf"', b"%PDF-1.4")), FORM),
    "a text of 2 MiB": (form_of(('name="a"', bytes(2 * 1024 * 1024))), FORM),
    "twenty parts": (form_of(*((f'name="{n}"', b"x") for n in range(20))), FORM),
    "no encoding": (form_of(('name="a"', b"x")), f"{FORM}; charset=undefined"),
}


@sqlite_only
@pytest.mark.parametrize("name", NO_FILE)
async def test_a_body_without_a_file_is_refused(post, problem_of, nothing_kept, name):
    problem = problem_of(await post(*NO_FILE[name]), 422)

    assert problem["code"] == "file_missing"
    assert [error["field"] for error in problem["errors"]] == ["file"]
    await nothing_kept()


@sqlite_only
@pytest.mark.parametrize("name", UNREADABLE)
async def test_an_unreadable_form_is_refused(post, problem_of, nothing_kept, name):
    assert problem_of(await post(*UNREADABLE[name]), 400)["code"] == "form_unreadable"
    await nothing_kept()


@sqlite_only
async def test_two_files_at_once_are_refused(post, problem_of, nothing_kept, pdf):
    part = ('name="file"; filename="a.pdf"', pdf)

    problem_of(await post(form_of(part, part)), 400)

    await nothing_kept()


async def test_a_file_without_an_identity_is_refused(desk, problem_of, nothing_kept):
    assert problem_of(await desk.upload(token=None), 401)["code"] == "identity_token_missing"
    await nothing_kept()


def forged(person):
    return TokenIssuer(new_key_pair()[0], "registry-gateway").issue(person, audience="desk.identity", seconds=60)[0]


@pytest.fixture
def bad_tokens(desk, zahra):
    return {
        "forged": forged(zahra),
        "changed": desk.token()[:-8] + "AAAAAAAA",
        "for another audience": desk.token(audience="desk.tracking"),
        "without a name": desk.token({"sub": zahra["sub"]}),
        "no token": "x",
        "not signed": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMDEzNTQyNDE5In0.",
        "odd JSON": "W10.W10.W10",
    }


@sqlite_only
@pytest.mark.parametrize(
    "name", ["forged", "changed", "for another audience", "without a name", "no token", "not signed", "odd JSON"]
)
async def test_an_invalid_identity_token_is_refused(desk, bad_tokens, problem_of, nothing_kept, name):
    answer = await desk.upload(token=bad_tokens[name])

    assert problem_of(answer, 401)["code"] == "identity_token_invalid"
    await nothing_kept()


@sqlite_only
async def test_an_expired_token_has_an_error_code_of_its_own(desk, problem_of, nothing_kept):
    answer = await desk.upload(token=desk.token(seconds=-1))

    assert problem_of(answer, 401)["code"] == "identity_token_expired"
    await nothing_kept()


async def test_the_body_of_a_caller_without_an_identity_is_not_read(desk):
    read = False

    async def body():
        nonlocal read
        read = True
        yield b"x"

    await desk.client.post(
        "/api/attachments", content=body(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert not read


async def test_the_sixth_file_of_an_upload_session_is_refused(desk, problem_of):
    token = desk.token()
    for _ in range(5):
        await desk.attachment(token)

    assert problem_of(await desk.upload(token=token), 409)["code"] == "too_many_files"
    assert len(await desk.objects()) == await desk.count("attachment") == 5


async def test_files_sent_at_the_same_time_do_not_exceed_the_limit(desk):
    token = desk.token()

    answers = await asyncio.gather(*(desk.upload(token=token) for _ in range(12)))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 7
    assert len(await desk.objects()) == await desk.count("attachment") == 5


async def test_another_upload_session_has_a_limit_of_its_own(desk):
    token = desk.token()
    for _ in range(5):
        await desk.attachment(token)

    assert (await desk.upload()).status_code == 201


async def test_a_removed_file_does_not_count(desk):
    token = desk.token()
    files = [await desk.attachment(token) for _ in range(5)]

    assert (await desk.remove(files[0], token)).status_code == 204
    assert (await desk.upload(token=token)).status_code == 201


async def test_nothing_remains_of_a_removed_file(desk, nothing_kept):
    await desk.remove(await desk.attachment())

    await nothing_kept()


async def test_a_file_can_be_removed_with_a_newer_token(desk):
    file_id = await desk.attachment(desk.token())

    assert (await desk.remove(file_id, desk.token())).status_code == 204


async def test_another_applicant_s_file_cannot_be_removed(desk, ali, problem_of):
    file_id = await desk.attachment()

    answer = await desk.remove(file_id, desk.token(ali))

    assert problem_of(answer, 404)["code"] == "attachment_unknown"
    assert await desk.objects() == {file_id}


async def test_a_file_of_a_request_cannot_be_removed(desk, problem_of):
    file_id = await desk.attachment()
    await desk.submit(attachments=[file_id])

    problem_of(await desk.remove(file_id), 404)

    assert await desk.objects() == {file_id}


async def test_an_unknown_file_cannot_be_removed(desk, problem_of):
    problem_of(await desk.remove(str(uuid.uuid4())), 404)


async def test_a_file_cannot_be_removed_twice(desk, problem_of):
    file_id = await desk.attachment()
    await desk.remove(file_id)

    problem_of(await desk.remove(file_id), 404)


@sqlite_only
async def test_removing_an_invalid_id_is_refused(desk, problem_of):
    [error] = problem_of(await desk.remove("one"), 422)["errors"]

    assert error["field"] == "attachment_id"


async def test_nothing_can_be_removed_without_an_identity(desk, problem_of):
    file_id = await desk.attachment()

    problem_of(await desk.client.delete(f"/api/attachments/{file_id}"), 401)

    assert await desk.objects() == {file_id}


async def test_the_object_store_contains_neither_the_content_nor_the_id_of_a_file(desk, pdf):
    file_id = await desk.attachment()

    stored = await desk.object_of(file_id)

    assert stored.name != file_id
    assert stored.stat().st_size > len(pdf)
    assert pdf[:20] not in stored.read_bytes()


async def test_a_file_that_is_removed_has_no_key_any_more(desk):
    file_id = await desk.attachment()
    assert await desk.select("SELECT id FROM data_key") == [(file_id,)]

    await desk.remove(file_id)

    assert await desk.count("data_key") == 0


async def test_too_many_uploads_are_refused_with_a_retry_time(desk, problem_of):
    desk.limit_uploads("2/hour")
    for _ in range(2):
        await desk.attachment()

    answer = await desk.upload()

    assert problem_of(answer, 429)["code"] == "budget_exhausted"
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert len(await desk.objects()) == 2


async def test_each_applicant_has_a_rate_limit_of_their_own(desk, ali):
    desk.limit_uploads("1/hour")
    await desk.attachment()

    assert (await desk.upload(token=desk.token(ali))).status_code == 201


async def test_the_rate_limits_do_not_store_the_national_id(desk, zahra):
    await desk.attachment()

    counted = vars(desk.parts.rate_limits._limits._counters)["_entries"]
    assert counted
    assert zahra["sub"] not in str(counted)


async def test_an_upload_is_refused_while_the_object_store_is_unavailable(desk, problem_of, nothing_kept):
    desk.storage.down = True

    answer = await desk.upload()

    assert problem_of(answer, 503)["code"] == "storage_unavailable"
    assert int(answer.headers["retry-after"]) > 0
    await nothing_kept()


async def test_the_row_stays_while_its_object_cannot_be_deleted(desk, problem_of):
    file_id = await desk.attachment()
    desk.storage.down = True

    assert problem_of(await desk.remove(file_id), 503)["code"] == "storage_unavailable"

    desk.storage.down = False
    assert (await desk.remove(file_id)).status_code == 204
    assert await desk.objects() == set()


async def test_a_file_whose_row_cannot_be_inserted_leaves_no_object(desk, monkeypatch, problem_of, nothing_kept):
    async def fail(*_values, **_named):
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("disk full"))

    monkeypatch.setattr(AttachmentStore, "add", fail)

    problem_of(await desk.upload(), 503)

    await nothing_kept()


async def test_the_first_error_is_reported_if_the_object_cannot_be_deleted_either(desk, monkeypatch, problem_of):
    async def fail(*_values, **_named):
        desk.storage.down = True
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("disk full"))

    monkeypatch.setattr(AttachmentStore, "add", fail)

    assert problem_of(await desk.upload(), 503)["code"] == "service_unavailable"


async def test_an_interrupted_upload_leaves_nothing_and_is_a_client_error(desk, nothing_kept):
    body = form_of(('name="file"; filename="a.pdf"', b"%PDF-1.4"))
    messages = [
        {"type": "http.request", "body": body[:100], "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        answered.append(message.get("status"))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/api/attachments",
        "raw_path": b"/api/attachments",
        "query_string": b"",
        "headers": [
            (b"content-type", b"multipart/form-data; boundary=----desk"),
            (b"authorization", f"Bearer {desk.token()}".encode()),
        ],
    }

    await desk.app(scope, receive, send)

    assert answered[0] == 400
    await nothing_kept()
