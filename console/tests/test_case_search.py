"""The search of headquarters by tracking code over all offices."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support.console_service import CODE, DUE, SUBMITTED

from desk.console.domain.accounts import Role
from desk.console.store.tables import audit_entry
from desk.expert import CaseRefusedError, CaseStatus

HQ = "headquarters"


def status(**changed):
    """Return a case of Isfahan after Qom had it for three days."""
    isfahan, qom = {"key": "isfahan", "name": "اصفهان"}, {"key": "qom", "name": "قم"}
    moved = (SUBMITTED + timedelta(days=3)).isoformat()
    data = {
        "tracking_code": CODE,
        "state": "in_progress",
        "state_title": "در حال بررسی",
        "since": moved,
        "office": isfahan,
        "province": isfahan,
        "subject": {"key": "umrah", "title": "عمرهٔ مفرده"},
        "sub_subject": {"key": "umrah_visa", "title": "روادید و گذرنامه"},
        "submitted_at": SUBMITTED.isoformat(),
        "due_at": DUE.isoformat(),
        "late": "office_notified",
        "trail": [
            {"office": qom, "since": SUBMITTED.isoformat(), "until": moved},
            {"office": isfahan, "since": moved, "until": None},
        ],
    }
    return CaseStatus.model_validate(data | changed)


@pytest.fixture
async def browser(console, browse):
    await console.account("staff", province=HQ)
    console.headquarters_client.statuses[CODE] = status()
    console.now = SUBMITTED + timedelta(days=10)
    return await browse().sign_in("staff")


async def entries(console):
    async with console.database.read() as session:
        rows = await session.execute(select(audit_entry).where(audit_entry.c.kind == "find_case"))
        return [(row.province, row.tracking_code) for row in rows]


async def test_a_case_of_another_office_is_found_with_the_offices_that_had_it(console, browser):
    page = await browser.open("/search", params={"code": "۱۲۳۴ ۵۶۷۸ ۹۰۱۸"})
    assert browser.page.status_code == 200
    assert "قم: ۳ روز" in page
    assert "اصفهان: ۷ روز" in page
    assert "مهلت اداره گذشته" in page
    assert await entries(console) == [(HQ, CODE)]

    await browser.send("/escalations/take-over", code=CODE, reason="پاسخ دیر شده است.")
    await console.send_all()
    [report] = console.headquarters_client.sent
    assert (report.name, report.tracking_code) == ("case-taken-over", CODE)


@pytest.mark.parametrize(
    ("changed", "comment", "take_over"),
    [
        ({}, True, True),
        ({"state": "answered"}, True, False),
        ({"state": "erased", "subject": None, "sub_subject": None, "province": None}, False, False),
        ({"state": "identity_pending", "trail": []}, False, False),
        ({"office": {"key": HQ, "name": "ستاد"}}, False, False),
    ],
)
async def test_only_what_is_possible_is_offered(console, browser, changed, comment, take_over):
    console.headquarters_client.statuses[CODE] = status(**changed)
    page = await browser.open("/search", params={"code": CODE})
    assert ('id="send_comment"' in page, 'id="take_over"' in page) == (comment, take_over)
    assert (f'href="/cases/{CODE}"' in page) == (changed.get("office") is not None)


@pytest.mark.parametrize(("code", "recorded"), [("123", 0), ("123456789012", 0), ("210987654329", 1)])
async def test_a_wrong_or_unknown_code_is_shown_at_the_field(console, browser, code, recorded):
    page = await browser.open("/search", params={"code": code})
    assert browser.page.status_code == 422
    assert 'id="code_error"' in page
    assert 'id="found"' not in page
    assert len(await entries(console)) == recorded


async def test_an_unavailable_desk_is_named(console, browser):
    console.headquarters_client.statuses[CODE] = CaseRefusedError("desk_away", "", later=True)
    page = await browser.open("/search", params={"code": CODE})
    assert browser.page.status_code == 503
    assert "میز خدمت اکنون پاسخ نمی‌دهد" in page


async def test_other_offices_have_no_such_page(console, browse):
    await console.account("boss", Role.SUPERVISOR)
    console.client.statuses[CODE] = status()
    browser = await browse().sign_in("boss")
    assert '"/search"' not in await browser.open("/cases")
    await browser.open("/search", params={"code": CODE})
    assert browser.page.status_code == 403
    assert await entries(console) == []
