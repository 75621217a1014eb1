"""GET /api/figures: off unless the organization publishes, only months that are over, small counts suppressed."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from desk.tracking.domain import Published
from desk.tracking.settings import Settings

NOW = datetime(2027, 1, 20, 8, 0, tzinfo=UTC)
"""In the month 1405-10; requests of the tests are of 1405-09."""


@pytest.fixture
def get(tracking):
    """Ask for the published figures as a browser, of an organization that publishes so much."""
    tracking.set_clock(NOW)

    async def get(published=None):
        if published is not None:
            services = tracking.app.state.services
            public = replace(services.public_figures, published=published)
            tracking.app.state.services = replace(services, public_figures=public)
        transport = httpx.ASGITransport(tracking.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            return await client.get("/api/figures")

    return get


@pytest.fixture
async def cases(tracking):
    """Seven requests of Isfahan, two of Fars."""
    fars = {"key": "fars", "name": "فارس"}
    codes = [await tracking.submit() for _ in range(7)]
    for _ in range(2):
        await tracking.submit(province=fars)
    return codes


@pytest.mark.usefixtures("cases")
async def test_nothing_is_published_by_default(get):
    assert Settings.model_fields["published_figures"].default is Published.NONE
    response = await get()
    assert (response.status_code, response.json()["code"]) == (404, "figures_not_published")


async def test_the_totals_of_months_have_no_offices(tracking, get, cases):
    for code in cases[:6]:
        await tracking.report("case-answered", code)
    response = await get(Published.TOTALS)
    assert response.status_code == 200
    body = response.json()
    assert (body["from"], body["until"], body["offices"]) == ("1404-10", "1405-09", [])
    [month] = body["months"]
    assert month["month"] == "1405-09"
    assert (month["requests"], month["incomplete"]) == (7, ["requests", "open"])
    assert month["answered"] == 6
    assert month["median_days"] is not None


@pytest.mark.usefixtures("cases")
async def test_the_count_of_a_small_office_is_not_shown(get):
    body = (await get(Published.OFFICES)).json()
    assert [(each["office"], each["name"], each["requests"]) for each in body["offices"]] == [
        ("fars", "فارس", "suppressed"),
        ("isfahan", "اصفهان", 7),
    ]
    assert body["months"][0]["requests"] == 7


@pytest.mark.usefixtures("cases")
async def test_the_present_month_is_not_published(tracking, get):
    tracking.set_clock(datetime(2026, 12, 14, 8, 0, tzinfo=UTC))
    body = (await get(Published.OFFICES)).json()
    assert (body["until"], body["months"], body["offices"]) == ("1405-08", [], [])


@pytest.mark.usefixtures("cases")
async def test_only_what_is_listed_is_published(get):
    month = (await get(Published.OFFICES)).json()["months"][0]
    assert set(month) == {
        "month",
        "requests",
        "open",
        "answered",
        "median_days",
        "p90_days",
        "rating_mean",
        "incomplete",
    }
