"""Any input results in a receipt or a client error, never in a server error."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


ANY_TEXT = st.text(st.characters(codec=None), max_size=200) | st.sampled_from(
    [
        "\ud800",
        "\udfff\ud800" * 20,
        "\x00",
        "\x00" * 20,
        "09123456789\x00",
        "\u202e" * 30,
        "9" * 5000,
        "a@" + "é" * 5000,
    ]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=10,
)
some = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def answer_to(desk):
    """Send a form and return the status; lone surrogates are sent as JSON escapes."""
    token = desk.token()

    async def answer_to(**changes):
        return await send(json.dumps(desk.form(**changes)))

    async def send(body):
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": "a-key-of-its-own-" + str(len(desk.captcha.answers)),
            "Content-Type": "application/json",
        }
        desk.captcha.issue()
        return (await desk.client.post("/api/requests", content=body, headers=headers)).status_code

    answer_to.raw = send
    return answer_to


@some
@given(text=ANY_TEXT)
async def test_any_text_is_accepted_or_refused(answer_to, text):
    assert await answer_to(text=text) in {201, 413, 422}


@some
@given(email=ANY_TEXT | st.emails())
async def test_any_email_is_accepted_or_refused(answer_to, email):
    assert await answer_to(email=email) in {201, 413, 422}


@some
@given(mobile=ANY_TEXT, area_code=ANY_TEXT | st.just("021"), number=ANY_TEXT)
async def test_any_invalid_phone_is_refused(answer_to, mobile, area_code, number):
    assert await answer_to(mobile=mobile, landline={"area_code": area_code, "number": number}) in {413, 422}


@some
@given(
    field=st.sampled_from(
        ["province", "email", "mobile", "landline", "subject", "sub_subject", "text", "attachments", "captcha", "extra"]
    ),
    value=ANY_JSON,
)
async def test_any_value_in_any_field_is_accepted_or_refused(answer_to, field, value):
    assert await answer_to(**{field: value}) in {201, 413, 422}


@pytest.mark.parametrize(
    "body",
    [
        "[" * 30_000 + "]" * 30_000,
        '{"text":' * 5_000 + "1" + "}" * 5_000,
        '{"text": ' + "[" * 900 + "]" * 900 + "}",
        "9" * 10_000,
        '{"mobile": ' + "9" * 10_000 + "}",
        '{"mobile": 1e999, "text": NaN, "email": -Infinity}',
        '{"\\ud800": "\\udfff"}',
        '{"captcha": {"\\ud800": 1, "id": "\\ud800", "answer": "\\ud800"}}',
        b"\xff\xfe",
        b"\x00" * 100,
        b'{"text": "\xd9"}',
    ],
    ids=range(11),
)
async def test_an_invalid_body_of_any_kind_is_refused(answer_to, body):
    assert await answer_to.raw(body) in {400, 422}


@some
@given(name=ANY_TEXT)
async def test_a_file_with_any_name_is_accepted_or_refused(desk, zahra, pdf, name):
    name = name.replace('"', "").replace("\r", "").replace("\n", "").encode(errors="surrogatepass")
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n' + pdf + b"\r\n--x--\r\n"
    )
    desk.limit_uploads("1000/hour")
    headers = {"Authorization": f"Bearer {desk.token()}", "Content-Type": "multipart/form-data; boundary=x"}

    answer = await desk.client.post("/api/attachments", content=body, headers=headers)

    assert answer.status_code in {201, 400, 415}


@some
@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=200))
async def test_any_forged_token_is_refused(desk, token):
    headers = {b"Authorization": b"Bearer " + token.encode("latin-1")}

    assert (await desk.client.post("/api/attachments", headers=headers)).status_code == 401
