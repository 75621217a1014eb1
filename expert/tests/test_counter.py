"""The client for requests that an expert registers for a person."""

import json

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from desk.chassis.crypto import new_key_pair
from desk.expert import Code, Counter, CounterRequest, LandlineForm, RegistrationRefusedError, RepresentativeForm

PRIVATE, PUBLIC = new_key_pair()
MATCHED = {"status": "matched", "first_name": "زهرا", "last_name": "رضایی", "gender": "female", "token": "t"}
MATCHED |= {"expires_at": "2026-12-13T11:30:00Z", "a_new_field": 1}
RECEIPT = {
    "tracking_code": "123456789018",
    "state": "registered",
    "submitted_at": "2026-12-13T11:00:00Z",
    "due_at": "2026-12-20T20:29:59Z",
    "province": {"key": "isfahan", "name": "اصفهان"},
    "office": {"key": "isfahan", "name": "اصفهان"},
    "subject": {"key": "umrah", "title": "عمره"},
    "sub_subject": {"key": "umrah_visa", "title": "روادید"},
    "national_id_masked": "001*****19",
    "mobile_masked": "",
    "text": "متن",
    "attachments": 0,
    "source": "phone",
    "receipt": {"token": "r"},
}
REQUEST = CounterRequest(
    identity_token="t",
    source="phone",
    expert="n.baran",
    mobile_owner="none",
    province="isfahan",
    subject="umrah",
    sub_subject="umrah_visa",
    text="روادید من صادر نشده است.",
)


@pytest.fixture
def calls():
    return []


@pytest.fixture
async def counter_of(calls):
    opened = []

    def counter_of(response):
        def answer(request):
            calls.append(request)
            if isinstance(response, Exception):
                raise response
            return response

        opened.append(Counter("http://desk", "isfahan", PRIVATE, transport=httpx.MockTransport(answer)))
        return opened[-1]

    yield counter_of
    for each in opened:
        await each.close()


def claims_of(call):
    token = call.headers["authorization"].removeprefix("Bearer ")
    return jwt.decode(token, OKPKey.import_key(PUBLIC), algorithms=["Ed25519"]).claims


async def test_a_person_is_looked_up_with_an_assertion_for_the_counter(counter_of, calls):
    found = await counter_of(httpx.Response(200, json=MATCHED)).identify("0013542419", "1361-12-05", expert="n.baran")

    assert (found.status, found.last_name, found.token) == ("matched", "رضایی", "t")
    assert json.loads(calls[0].content) == {
        "national_id": "0013542419",
        "birth_date": "1361-12-05",
        "expert": "n.baran",
    }
    assert (claims_of(calls[0])["iss"], claims_of(calls[0])["aud"]) == ("isfahan", "desk.counter")


async def test_a_request_is_registered_under_its_key(counter_of, calls):
    receipt = await counter_of(httpx.Response(201, json=RECEIPT)).register(REQUEST, "key-1")

    assert (receipt.tracking_code, receipt.source, receipt.representative) == ("123456789018", "phone", None)
    assert calls[0].headers["idempotency-key"] == "key-1"
    sent = json.loads(calls[0].content)
    assert "mobile_code" not in sent
    assert (sent["mobile"], sent["mobile_owner"]) == ("", "none")


async def test_a_landline_is_part_of_the_request(counter_of, calls):
    landline = LandlineForm(area_code="031", number="32211234")
    request = REQUEST.model_copy(update={"landline": landline})
    await counter_of(httpx.Response(201, json=RECEIPT)).register(request, "key-1")

    assert json.loads(calls[0].content)["landline"] == {"area_code": "031", "number": "32211234"}


async def test_a_code_and_a_representative_are_part_of_the_request(counter_of, calls):
    person = RepresentativeForm(name="علی محمدی", national_id="8275737168", mobile="09127654321")
    code = Code(id="c" * 22, answer="12345")
    changed = {"mobile": "09123456789", "mobile_owner": "own", "mobile_code": code, "representative": person}
    await counter_of(httpx.Response(201, json=RECEIPT)).register(REQUEST.model_copy(update=changed), "key-1")

    sent = json.loads(calls[0].content)
    assert sent["mobile_code"] == {"id": "c" * 22, "answer": "12345"}
    assert sent["representative"]["national_id"] == "8275737168"


async def test_a_file_is_uploaded_with_the_token_of_the_person(counter_of, calls):
    stored = {"id": "f1", "name": "a.pdf", "size": 3, "media_type": "application/pdf", "sha256": "0" * 64}
    file = await counter_of(httpx.Response(201, json=stored)).upload("the-token", "a.pdf", b"abc")

    assert file.id == "f1"
    assert calls[0].headers["authorization"] == "Bearer the-token"


async def test_a_refusal_names_the_fields(counter_of):
    problem = {
        "code": "validation_failed",
        "title": "x",
        "errors": [{"field": "text", "code": "c", "message": "کوتاه"}],
    }

    with pytest.raises(RegistrationRefusedError) as refused:
        await counter_of(httpx.Response(422, json=problem)).register(REQUEST, "key-1")

    assert (refused.value.code, refused.value.faults, refused.value.later) == (
        "validation_failed",
        {"text": "کوتاه"},
        False,
    )


@pytest.mark.parametrize("failure", [httpx.ConnectError("down"), httpx.Response(503, json={"code": "x"})])
async def test_an_unavailable_desk_may_be_asked_later(counter_of, failure):
    with pytest.raises(RegistrationRefusedError) as refused:
        await counter_of(failure).send_code("09123456789")

    assert refused.value.later


async def test_an_answer_that_differs_from_the_contract_is_refused(counter_of):
    with pytest.raises(RegistrationRefusedError, match="unreadable"):
        await counter_of(httpx.Response(200, json={"status": "matched"})).identify("1", "2", expert="n")
