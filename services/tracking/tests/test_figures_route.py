"""GET /api/office/figures: who may read which figures, and the errors."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlalchemy import select

from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.database.audit import audit_entry
from desk.tracking.domain import Month
from desk.tracking.domain.months import Period, PeriodInvalidError

NOW = datetime(2026, 12, 14, 8, 0, tzinfo=UTC)


@pytest.fixture
def assertion(office_private_keys):
    """Return a function that signs an assertion of an office, like every office does."""

    def assertion(office="isfahan", **changes):
        claims = {"iss": office, "aud": "desk.figures", "exp": int(time.time()) + 60, "jti": str(uuid.uuid4())}
        key = OKPKey.import_key(office_private_keys[office])
        return jwt.encode({"alg": "Ed25519"}, claims | changes, key, algorithms=["Ed25519"])

    return assertion


@pytest.fixture
def get(tracking, assertion):
    """Ask for figures as an office."""
    tracking.set_clock(NOW)

    async def get(caller="isfahan", /, token=None, **query):
        headers = {"authorization": f"Bearer {token or assertion(caller)}"}
        return await call(tracking, headers, query)

    return get


async def call(tracking, headers, query):
    transport = httpx.ASGITransport(tracking.app, client=("192.0.2.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
        return await client.get("/api/office/figures", headers=headers, params=query)


@pytest.fixture
async def cases(tracking):
    """Six open requests of Isfahan, and five of Fars."""
    fars = {"key": "fars", "name": "فارس"}
    for _ in range(6):
        await tracking.submit()
    for _ in range(5):
        await tracking.submit(province=fars)


@pytest.mark.usefixtures("cases")
async def test_a_province_gets_its_own_figures(get):
    response = await get("isfahan")

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert (body["from"], body["until"], body["office"]) == ("1404-10", "1405-09", "isfahan")
    [figure] = body["figures"]
    assert figure == {
        "month": "1405-09",
        "office": "isfahan",
        "subject": "hajj_deposit",
        "sub_subject": "lost_receipt",
        "requests": 6,
        "open": 6,
        "overdue": 0,
        "answered": 0,
        "median_days": None,
        "p90_days": None,
        "objections": 0,
        "ratings": 0,
        "rating_mean": None,
    }
    [total] = body["offices"]
    assert (total["office"], total["name"], total["requests"], total["incomplete"]) == ("isfahan", "اصفهان", 6, [])
    assert [(month["month"], month["requests"]) for month in body["months"]] == [("1405-09", 6)]
    assert (await get("isfahan", office="isfahan")).json()["figures"] == [figure]


@pytest.mark.usefixtures("cases")
async def test_headquarters_gets_every_office_or_one(get):
    everything = (await get("headquarters")).json()
    one = (await get("headquarters", office="fars")).json()
    none = (await get("headquarters", office="headquarters")).json()

    assert everything["office"] is None
    assert [(each["office"], each["requests"]) for each in everything["offices"]] == [("fars", 5), ("isfahan", 6)]
    assert everything["months"][0]["requests"] == 11
    assert [each["office"] for each in one["figures"]] == ["fars"]
    assert (none["office"], none["figures"], none["offices"]) == ("headquarters", [], [])


async def test_the_figures_of_all_offices_are_made_ahead_and_at_most_two_minutes_old(tracking, get, cases):
    await tracking.services.figure_documents.keep()
    await tracking.submit()

    tracking.set_clock(NOW + timedelta(minutes=2))
    kept, own = (await get("headquarters")).json(), (await get("isfahan")).json()
    september = (await get("headquarters", **{"from": "1405-09"})).json()
    tracking.set_clock(NOW + timedelta(minutes=2, seconds=1))
    late = (await get("headquarters")).json()

    assert [each["offices"][-1]["requests"] for each in (kept, own, september, late)] == [6, 7, 7, 7]
    assert kept["at"] == "2026-12-14T08:00:00Z"
    assert late["at"] == "2026-12-14T08:02:01Z"


@pytest.mark.parametrize("office", ["fars", "headquarters"])
async def test_a_province_cannot_read_the_figures_of_another_office(get, office):
    response = await get("isfahan", office=office)
    assert (response.status_code, response.json()["code"]) == (403, "office_not_permitted")
    assert [error["field"] for error in response.json()["errors"]] == ["office"]


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"from": "1405-13"}, "from", "month_invalid"),
        ({"until": "2026-09"}, "until", "month_invalid"),
        ({"from": "1405-09-01"}, "from", "month_invalid"),
        ({"from": "1405-08", "until": "1405-07"}, "from", "period_invalid"),
        ({"from": "1402-09", "until": "1405-09"}, "from", "period_invalid"),
        ({"office": "atlantis"}, "office", "office_unknown"),
        ({"ofice": "fars"}, "ofice", "extra_forbidden"),
    ],
)
async def test_a_wrong_query_is_a_problem_that_names_the_field(get, query, field, code):
    response = await get("headquarters", **query)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, code)]


async def test_months_may_have_persian_digits(get):
    body = (await get("headquarters", **{"from": "۱۴۰۴-۰۷", "until": "۱۴۰۵-۰۶"})).json()
    assert (body["from"], body["until"]) == ("1404-07", "1405-06")


async def test_without_an_assertion_there_are_no_figures(tracking):
    response = await call(tracking, {}, {})
    assert (response.status_code, response.json()["code"]) == (401, "assertion_missing")


async def test_an_assertion_is_used_once(get, assertion, tracking):
    token = assertion()
    assert (await get(token=token)).status_code == 200
    response = await get(token=token)
    assert (response.status_code, response.json()["code"]) == (401, "assertion_reused")
    [entry] = await tracking.rows(select(audit_entry.c.actor, audit_entry.c.action, audit_entry.c.about))
    assert tuple(entry) == ("unknown", "assertion_refused", "assertion_reused")


async def test_an_assertion_for_files_is_of_no_use_here(get, assertion):
    response = await get(token=assertion(aud="desk.files"))
    assert response.status_code == 401
    [error] = response.json()["errors"]
    assert (error["field"], error["message"]) == ("aud", "مقدار aud باید desk.figures باشد.")


@pytest.mark.parametrize(
    ("claims", "part"),
    [
        ({"iss": "atlantis"}, "iss"),
        ({"iss": "fars"}, "signature"),
        ({"iss": "headquarters"}, "signature"),
        ({"exp": int(time.time()) + 3600}, "exp"),
        ({"jti": ""}, "jti"),
    ],
)
async def test_a_forged_assertion_is_refused(get, assertion, claims, part):
    response = await get(token=assertion(**claims))
    assert (response.status_code, response.json()["code"]) == (401, "assertion_invalid")
    assert [error["field"] for error in response.json()["errors"]] == [part]


async def test_the_key_of_another_pair_is_refused(get):
    token = TokenIssuer(new_key_pair()[0], "isfahan").issue({}, audience="desk.figures", seconds=60)[0]
    assert (await get(token=token)).json()["errors"][0]["field"] == "signature"


async def test_text_that_is_no_token_is_refused(get):
    assert (await get(token="x.y")).json()["errors"][0]["field"] == "token"


def test_the_month_of_a_moment_is_that_of_tehran():
    last = datetime(2026, 12, 21, 20, 29, 59, tzinfo=UTC)
    assert (str(Month.of(last)), str(Month.of(last.replace(minute=30, second=0)))) == ("1405-09", "1405-10")


def test_a_month_begins_where_the_one_before_ends():
    month = Month(1390, 1)
    while month < Month(1420, 1):
        assert Month.of(month.start) == month
        assert month.plus(1).plus(-1) == month
        month = month.plus(1)


def test_a_period_has_twelve_months_unless_said_otherwise():
    assert [str(month) for month in Period.of(None, Month(1405, 2), NOW).months()][::11] == ["1404-03", "1405-02"]
    assert len(Period.of(Month(1404, 12), None, NOW).months()) == 10
    with pytest.raises(PeriodInvalidError):
        Period.of(Month(1405, 10), None, NOW)
