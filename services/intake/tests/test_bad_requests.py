import uuid

import pytest


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


BAD = {
    "an unknown province": ({"province": "atlantis"}, "province", "province_unknown"),
    "no province": ({"province": ""}, "province", "province_unknown"),
    "a province's name": ({"province": "اصفهان"}, "province", "province_unknown"),
    "an unknown subject": ({"subject": "weather"}, "subject", "subject_unknown"),
    "an unknown sub-subject": ({"sub_subject": "weather"}, "sub_subject", "sub_subject_unknown"),
    "another subject's sub-subject": ({"subject": "hajj_registration"}, "sub_subject", "sub_subject_unknown"),
    "no text": ({"text": ""}, "text", "text_length"),
    "a text of nine letters": ({"text": "نه نویسه!"}, "text", "text_length"),
    "a text of spaces": ({"text": " " * 50}, "text", "text_length"),
    "a text of invisible marks": ({"text": "\u200f\u200e" * 50}, "text", "text_length"),
    "a text of 4,001 letters": ({"text": "ن" * 4001}, "text", "text_length"),
    "a text that is a list": ({"text": ["متن درخواست من"]}, "text", "string_type"),
    "an email with a line end": ({"email": "a@example.ir\r\nBcc: b@example.ir"}, "email", "email_format"),
    "an email with a line end in it": ({"email": "a@example.ir\nx"}, "email", "email_format"),
    "an email in Persian letters": ({"email": "علی@gmail.com"}, "email", "email_local_part"),
    "an email without a domain": ({"email": "zahra@"}, "email", "email_format"),
    "two emails": ({"email": "a@example.ir, b@example.ir"}, "email", "email_format"),
    "a very long email": ({"email": "a@" + "b" * 10000 + ".ir"}, "email", "email_format"),
    "a long email whose start is a good one": ({"email": "a@example.ir" + " " * 300 + "x"}, "email", "email_format"),
    "a mobile of ten digits": ({"mobile": "0912345678"}, "mobile", "mobile_format"),
    "a mobile of twelve digits": ({"mobile": "091234567890"}, "mobile", "mobile_format"),
    "a landline for a mobile": ({"mobile": "03132211234"}, "mobile", "mobile_format"),
    "no mobile": ({"mobile": ""}, "mobile", "mobile_empty"),
    "a mobile that is a number": ({"mobile": 9123456789}, "mobile", "string_type"),
    "a very long mobile": ({"mobile": "0" * 65}, "mobile", "string_too_long"),
    "an unknown area code": (
        {"landline": {"area_code": "039", "number": "32211234"}}, "landline.area_code", "landline_area_code"),
    "no area code": ({"landline": {"number": "32211234"}}, "landline.area_code", "missing"),
    "a landline of three digits": (
        {"landline": {"area_code": "031", "number": "322"}}, "landline.number", "landline_length"),
    "a landline of letters": (
        {"landline": {"area_code": "031", "number": "call me"}}, "landline.number", "landline_not_digits"),
    "a landline without a number": ({"landline": {"area_code": "031"}}, "landline.number", "missing"),
    "a file that is no id": ({"attachments": ["../etc/passwd"]}, "attachments.0", "uuid_parsing"),
    "six files": ({"attachments": [str(uuid.uuid4()) for _ in range(6)]}, "attachments", "too_long"),
    "an unknown file": ({"attachments": [str(uuid.uuid4())]}, "attachments", "attachment_unknown"),
    "no security code": ({"captcha": None}, "captcha", "model_attributes_type"),
    "an empty security code": (
        {"captcha": {"id": "A" * 22, "answer": ""}}, "captcha.answer", "string_too_short"),
    "a path for a security code": (
        {"captcha": {"id": "../../health", "answer": "12345"}}, "captcha.id", "string_pattern_mismatch"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_field_is_named_in_persian(desk, problem_of, name):
    changes, field, code = BAD[name]

    problem = problem_of(await desk.submit(**changes), 422)

    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]


async def test_a_bad_field_neither_uses_a_security_code_up_nor_stores_anything(desk, nothing):
    for changes, _, _ in BAD.values():
        await desk.submit(**changes)

    assert desk.captcha.asked == []
    assert await desk.stored() == nothing


@pytest.mark.parametrize("field", ["province", "mobile", "subject", "sub_subject", "text", "captcha"])
async def test_a_missing_mandatory_field_is_named(desk, problem_of, field):
    form = desk.form()
    del form[field]

    [error] = problem_of(await desk.submit(form), 422)["errors"]

    assert (error["field"], error["code"]) == (field, "missing")


async def test_all_bad_fields_are_reported_together(desk, problem_of):
    problem = problem_of(await desk.submit(mobile="1", text="کوتاه", email="@"), 422)

    assert {error["field"] for error in problem["errors"]} == {"mobile", "text", "email"}


async def test_a_refused_value_is_not_sent_back(desk):
    answer = await desk.submit(mobile="0912345678", email="zahra.rezaei@", text="راز من!")

    for value in ("0912345678", "zahra.rezaei", "راز"):
        assert value not in answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"1", b'"text"'])
async def test_a_body_that_is_not_a_form_is_refused(desk, problem_of, body):
    headers = {
        "Authorization": f"Bearer {desk.token()}",
        "Idempotency-Key": "a-good-key",
        "Content-Type": "application/json",
    }

    problem_of(await desk.client.post("/api/requests", content=body, headers=headers), 422)


async def test_a_body_beyond_64_kib_is_refused(desk, problem_of, nothing):
    assert problem_of(await desk.submit(text="ن" * 70_000), 413)["code"] == "body_too_large"
    assert await desk.stored() == nothing


async def test_another_person_s_file_is_unknown(desk, ali, problem_of, nothing):
    file_id = await desk.attachment(desk.token(ali))

    problem = problem_of(await desk.submit(attachments=[file_id]), 422)

    assert problem["code"] == "attachment_unknown"
    assert await desk.stored() == nothing


async def test_a_file_of_an_earlier_request_is_unknown(desk, problem_of):
    file_id = await desk.attachment()
    await desk.submit(attachments=[file_id])

    assert problem_of(await desk.submit(attachments=[file_id]), 422)["code"] == "attachment_unknown"
    assert await desk.count("request") == 1


async def test_a_removed_file_is_unknown(desk, problem_of):
    file_id = await desk.attachment()
    await desk.remove(file_id)

    problem_of(await desk.submit(attachments=[file_id]), 422)


async def test_a_request_without_an_identity_is_refused(desk, problem_of, nothing):
    assert problem_of(await desk.submit(token=None), 401)["code"] == "identity_token_missing"
    assert desk.captcha.asked == []
    assert await desk.stored() == nothing


@pytest.mark.parametrize(
    ("given", "code"),
    [({"audience": "desk.tracking"}, "identity_token_invalid"), ({"seconds": -1}, "identity_token_expired")],
)
async def test_a_request_with_another_or_an_expired_token_is_refused(desk, problem_of, nothing, given, code):
    assert problem_of(await desk.submit(token=desk.token(**given)), 401)["code"] == code
    assert desk.captcha.asked == []
    assert await desk.stored() == nothing


async def test_a_request_with_a_changed_token_is_refused(desk, problem_of, nothing):
    changed = desk.token()[:-8] + "AAAAAAAA"

    assert problem_of(await desk.submit(token=changed), 401)["code"] == "identity_token_invalid"
    assert await desk.stored() == nothing


async def test_an_authorization_scheme_other_than_bearer_is_refused(desk, problem_of):
    headers = {"Authorization": "Basic emFocmE6eA==", "Idempotency-Key": "a-good-key"}

    answer = await desk.client.post("/api/requests", json=desk.form(), headers=headers)

    assert problem_of(answer, 401)["code"] == "identity_token_missing"


@pytest.mark.parametrize("key", [None, "short-1", "x" * 65, "--------", "with space", "semi;colon", "under_score"])
async def test_a_request_without_a_valid_idempotency_key_is_refused(desk, problem_of, nothing, key):
    assert problem_of(await desk.submit(key=key), 400)["code"] == "idempotency_key_missing"
    assert desk.captcha.asked == []
    assert await desk.stored() == nothing


@pytest.mark.parametrize("key", [b"\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5", b"", b"\xff" * 10])
async def test_an_idempotency_key_that_is_not_ascii_is_refused(desk, problem_of, key):
    headers = {b"Authorization": f"Bearer {desk.token()}".encode(), b"Idempotency-Key": key}

    problem_of(await desk.client.post("/api/requests", json=desk.form(), headers=headers), 400)
