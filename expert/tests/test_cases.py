"""The client of single cases."""

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from desk.chassis.crypto import new_key_pair
from desk.expert import CaseRefusedError, Cases

ANSWER = {
    "tracking_code": "123456789018",
    "state": "in_progress",
    "state_title": "در حال بررسی",
    "since": "2026-12-14T08:00:00Z",
    "office": {"key": "isfahan", "name": "اصفهان"},
    "province": {"key": "isfahan", "name": "اصفهان"},
    "subject": None,
    "sub_subject": None,
    "submitted_at": "2026-12-13T11:00:00Z",
    "due_at": "2026-12-20T20:29:59Z",
    "late": "office_notified",
    "trail": [{"office": {"key": "isfahan", "name": "اصفهان"}, "since": None, "until": None}],
    "a_new_field": 1,
}


async def test_an_office_finds_a_case_by_its_code():
    private, public = new_key_pair()
    calls = []

    def answer(request):
        calls.append(request)
        return httpx.Response(200, json=ANSWER)

    cases = Cases("http://desk", "headquarters", private, transport=httpx.MockTransport(answer))
    found = await cases.find("123456789018")
    await cases.close()

    [call] = calls
    assert call.url.path == "/api/office/cases/123456789018"
    token = call.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, OKPKey.import_key(public), algorithms=["Ed25519"]).claims
    assert (claims["iss"], claims["aud"]) == ("headquarters", "desk.cases")
    assert (found.state, found.office.key, found.late) == ("in_progress", "isfahan", "office_notified")
    assert [(each.office.key, each.since) for each in found.trail] == [("isfahan", None)]


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (httpx.Response(404, json={"code": "case_not_found", "title": "x"}), "case_not_found"),
        (httpx.Response(200, json={"state": "closed"}), "unreadable"),
        (httpx.Response(502, text="no JSON"), "unknown"),
    ],
)
async def test_a_refusal_has_the_code_of_the_desk(response, code):
    cases = Cases("http://desk", "isfahan", new_key_pair()[0], transport=httpx.MockTransport(lambda _: response))
    with pytest.raises(CaseRefusedError) as refused:
        await cases.find("123456789018")
    assert refused.value.code == code
