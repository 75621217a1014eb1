"""The client of figures."""

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from desk.chassis.crypto import new_key_pair
from desk.expert import Figures, FiguresRefusedError

COUNTS = {"requests": 12, "open": "<5", "overdue": 0, "answered": "suppressed", "median_days": None, "p90_days": None}
COUNTS |= {"objections": 0, "ratings": 7, "rating_mean": 4.25, "a_new_field": 1}
ANSWER = {
    "from": "1405-01",
    "until": "1405-02",
    "at": "2026-12-14T08:00:00Z",
    "office": None,
    "offices": [COUNTS | {"office": "isfahan", "name": "اصفهان", "incomplete": ["open"]}],
    "months": [COUNTS | {"month": "1405-01", "incomplete": []}],
    "office_months": [COUNTS | {"month": "1405-01", "office": "isfahan"}],
    "figures": [COUNTS | {"month": "1405-01", "office": "isfahan", "subject": "umrah", "sub_subject": "umrah_visa"}],
}


async def test_headquarters_reads_the_figures_of_a_period():
    private, public = new_key_pair()
    calls = []

    def answer(request):
        calls.append(request)
        return httpx.Response(200, json=ANSWER)

    figures = Figures("http://desk", "headquarters", private, transport=httpx.MockTransport(answer))
    found = await figures.read("1405-01", "1405-02", office="isfahan")
    await figures.close()

    [call] = calls
    assert call.url.path == "/api/office/figures"
    assert dict(call.url.params) == {"from": "1405-01", "until": "1405-02", "office": "isfahan"}
    token = call.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, OKPKey.import_key(public), algorithms=["Ed25519"]).claims
    assert (claims["iss"], claims["aud"]) == ("headquarters", "desk.figures")
    assert (found.first, found.last, found.office) == ("1405-01", "1405-02", None)
    [figure] = found.figures
    assert (figure.sub_subject, figure.requests, figure.open, figure.answered) == ("umrah_visa", 12, "<5", "suppressed")
    assert (found.offices[0].name, found.offices[0].incomplete) == ("اصفهان", ["open"])


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (httpx.Response(403, json={"code": "office_not_permitted", "title": "x"}), "office_not_permitted"),
        (httpx.Response(200, json={"from": "1405-01"}), "unreadable"),
        (httpx.Response(502, text="no JSON"), "unknown"),
    ],
)
async def test_a_refusal_has_the_code_of_the_desk(response, code):
    transport = httpx.MockTransport(lambda _: response)
    figures = Figures("http://desk", "isfahan", new_key_pair()[0], transport=transport)
    with pytest.raises(FiguresRefusedError) as refused:
        await figures.read()
    assert (refused.value.code, refused.value.later) == (code, response.is_server_error)
