"""Another mobile of an applicant, in any order with the request."""

from dataclasses import replace

import pytest
from support.console_service import CODE, event

from desk.expert import ContactChange, NoticeFailure

AFTER, LATER = "+989127654321", "+989120001122"


def changed(seq, mobile=AFTER):
    """Return the event with another mobile, as the library delivers it."""
    contact = {"mobile": mobile, "landline": None, "email": None}
    given = event("request-contact-changed", seq, contact=contact, previous_mobile="+989123456789")
    return replace(given, contact_change=ContactChange.model_validate(given.data))


def failed(seq):
    given = event("request-notice-failed", seq, notice="answered", channel="sms", reason="not_delivered")
    return replace(given, notice_failure=NoticeFailure.model_validate(given.data))


@pytest.fixture
async def shown(console, browse):
    """Return a function that returns the page of the case."""
    await console.account("expert")
    browser = await browse().sign_in("expert")
    return lambda path=f"/cases/{CODE}", **options: browser.open(path, **options)


async def test_the_page_has_the_new_mobile_and_the_history_says_so(console, shown):
    await console.handle(event("request-submitted", 1), changed(3))
    page = await shown()
    assert "tel:+989127654321" in page or "۰۹۱۲۷۶۵۴۳۲۱" in page.replace(" ", "")
    assert "متقاضی شمارهٔ همراه خود را تغییر داد" in page


async def test_another_mobile_answers_a_failed_sms(console, shown):
    await console.handle(event("request-submitted", 1), failed(2))
    assert 'id="unreached"' in await shown()
    await console.handle(changed(3))
    assert 'id="unreached"' not in await shown()


async def test_the_case_is_found_by_the_new_mobile_only(console, shown):
    await console.handle(event("request-submitted", 1), changed(3))
    row = f'data-tracking-code="{CODE}"'
    assert row in await shown("/cases", params={"q": "09127654321"})
    old = event("request-submitted", 1).request.contact.mobile
    assert row not in await shown("/cases", params={"q": f"0{old[3:]}"})


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
async def test_the_latest_mobile_counts_in_any_order(console, order):
    events = [event("request-submitted", 1), changed(3), changed(4, LATER)]
    await console.handle(*(events[place] for place in order))
    assert (await console.experts.view("isfahan", CODE)).record.request.contact.mobile == LATER


async def test_a_referral_after_the_change_has_the_mobile_already(console):
    contact = {"mobile": LATER, "landline": None, "email": None}
    await console.handle(event("request-submitted", 1), event("request-referred", 5, contact=contact), changed(3))
    assert (await console.experts.view("isfahan", CODE)).record.request.contact.mobile == LATER
