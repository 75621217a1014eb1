"""Headquarters' pages: late answers with their trail, take-overs, comments, silent offices, supervisors' accounts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.console_service import CODE, SUBMITTED, erasure, escalation, event, silent

from desk.console.domain.accounts import Role
from desk.console.domain.errors import FieldError
from desk.console.domain.states import State
from desk.expert import Comment, Refusal, TakeOver

HQ = "headquarters"


@pytest.fixture
async def staff(console):
    """An expert of headquarters."""
    return await console.account("staff", province=HQ)


@pytest.fixture
async def browser(console, browse, staff):
    """The browser of an expert of headquarters."""
    await console.handle(escalation(), silent(), province=HQ)
    return await browse().sign_in("staff")


async def sent(console):
    """Send all reports; return the names and data of those of headquarters."""
    await console.send_all()
    return [(report.name, report.tracking_code, report.seq, report.data) for report in console.headquarters_client.sent]


async def test_a_late_answer_is_shown_with_its_trail_and_a_silent_office_with_its_requests(console, browse, staff):
    await console.handle(escalation(), silent(), province=HQ)
    console.now = SUBMITTED + timedelta(days=40)
    browser = await browse().sign_in(staff.username)
    page = await browser.open("/escalations")
    assert f'data-code="{CODE}"' in page
    assert "قم: ۳ روز" in page
    assert "اصفهان: ۳۷ روز" in page
    assert "۱۲ درخواست منتظر دریافت است" in page


async def test_notices_about_other_offices_are_no_cases_of_headquarters(console, browser):
    assert CODE not in await browser.open("/cases", params={"list": "all"})
    assert await console.experts.count_cases() == 0


@pytest.mark.parametrize("path", ["/escalations"])
async def test_other_offices_have_no_such_page(console, browse, path):
    await console.account("expert", Role.SUPERVISOR)
    browser = await browse().sign_in("expert")
    page = await browser.open(path)
    assert browser.page.status_code == 403
    assert "این بخش برای ستاد است." in page
    page = await browser.open("/cases")
    assert path not in page
    await browser.send("/escalations/take-over", code=CODE, reason="دیر شده است.")
    assert browser.page.status_code == 403
    assert await sent(console) == []


async def test_a_case_is_taken_over_and_becomes_a_case_of_headquarters(console, browser):
    await browser.open("/escalations", params={"code": CODE})
    page = await browser.send("/escalations/take-over", code=CODE, reason="پاسخ دیر شده است.")
    assert "ثبت شد." in page
    assert await sent(console) == [("case-taken-over", CODE, 1, {"reason": "پاسخ دیر شده است."})]

    office = {"key": HQ, "name": "ستاد سازمان حج و زیارت"}
    await console.handle(event("request-referred", 11, office=office, reason="پاسخ دیر شده است."), province=HQ)
    assert f'data-code="{CODE}"' not in await browser.open("/escalations")
    page = await browser.open(f"/cases/{CODE}")
    assert "ستاد درخواست را به عهده گرفت" in page
    await browser.send(f"/cases/{CODE}/take")
    await browser.send(f"/cases/{CODE}/refer", to_province="isfahan", referral="پاسخ را همین هفته بدهید.")
    names = [name for name, *_ in await sent(console)]
    assert names == ["case-taken-over", "case-received", "case-opened", "case-assigned", "case-referred"]
    assert [seq for _, _, seq, _ in await sent(console)] == [1, 2, 3, 4, 5]


async def test_a_comment_is_sent_to_the_office_of_the_case(console, browser):
    await browser.open("/escalations")
    page = await browser.send("/escalations/comment", code="۱۲۳۴ ۵۶۷۸ ۹۰۱۸", comment="تا فردا پاسخ دهید.")
    assert "متقاضی آن را نمی‌بیند" in page
    assert await sent(console) == [("case-commented", CODE, 1, {"text": "تا فردا پاسخ دهید."})]


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("take-over", {"code": "123", "reason": "دیر شده است."}, "code"),
        ("take-over", {"code": "123456789012", "reason": "دیر شده است."}, "code"),
        ("take-over", {"code": CODE, "reason": ""}, "reason"),
        ("comment", {"code": CODE, "comment": " "}, "comment"),
    ],
)
async def test_a_mistake_is_shown_at_its_field_and_nothing_is_sent(console, browser, path, fields, field):
    await browser.open("/escalations")
    page = await browser.send(f"/escalations/{path}", **fields)
    assert browser.page.status_code == 422
    assert f'id="{field}_error"' in page
    assert await sent(console) == []


async def test_an_own_case_is_handled_in_the_list_of_cases(console, staff):
    await console.handle(event("request-submitted", 1), province=HQ)
    with pytest.raises(FieldError):
        await console.headquarters.comment(staff, CODE, "تا فردا.")


async def test_a_refused_report_is_shown_and_leaves_the_notice(console, browser, staff):
    await console.headquarters.take_over(staff, CODE, "دیر شده است.")
    await sent(console)
    [report] = console.headquarters_client.sent
    refusal = event("case-refused", 12, report="case-taken-over", report_id=report.id, reason="illegal_move")
    await console.handle(replace(refusal, refusal=Refusal.model_validate(refusal.data)), province=HQ)
    page = await browser.open("/escalations")
    assert "میز خدمت این کار را نپذیرفت: به عهده گرفتن" in page
    assert f'data-code="{CODE}"' in page


async def test_a_notice_can_be_removed(console, browser):
    await browser.open("/escalations")
    await browser.send(f"/escalations/{CODE}/close")
    await browser.open("/escalations")
    page = await browser.send("/silences/qom/close")
    assert f'data-code="{CODE}"' not in page
    assert 'data-office="qom"' not in page
    await browser.open("/escalations")
    await browser.send("/silences/qom/close")
    assert browser.page.status_code == 404


async def test_a_second_escalation_of_a_case_is_shown_again(console, browser, staff):
    await console.headquarters.close(staff, CODE)
    await console.handle(escalation(), province=HQ)
    assert f'data-code="{CODE}"' in await browser.open("/escalations")


async def test_an_office_sees_a_comment_and_loses_a_case_that_is_taken_over(console, browse):
    await console.account("expert")
    office = {"key": HQ, "name": "ستاد سازمان حج و زیارت"}
    await console.handle(event("request-submitted", 1))
    commented = event("request-commented", 2, office=office, text="تا فردا پاسخ دهید.")
    await console.handle(replace(commented, comment=Comment.model_validate(commented.data)))
    browser = await browse().sign_in("expert")
    page = await browser.open(f"/cases/{CODE}")
    assert "یادداشت ستاد؛ متقاضی آن را نمی‌بیند" in page
    assert "تا فردا پاسخ دهید." in page
    taken = event("request-taken-over", 4, office=office, reason="دیر شده است.")
    await console.handle(replace(taken, takeover=TakeOver.model_validate(taken.data)))
    assert (await console.case()).state is State.REFERRED
    page = await browser.open(f"/cases/{CODE}")
    assert 'id="take"' not in page
    assert "رسیدگی به ستاد رسید" in page


async def test_a_supervisor_of_headquarters_manages_the_supervisors_of_all_offices(console, browse):
    await console.account("head", Role.SUPERVISOR, HQ)
    await console.account("boss", Role.SUPERVISOR)
    await console.account("expert")
    browser = await browse().sign_in("head")
    page = await browser.open("/accounts")
    assert 'data-username="boss"' in page
    assert 'data-username="expert"' not in page
    page = await browser.send("/accounts", username="qom-boss", name="سرپرست قم", role="supervisor", office="qom")
    assert "گذرواژهٔ نخست" in page
    assert (await console.account_of("qom-boss")).province == "qom"
    page = await browser.send("/accounts", username="qom-expert", name="کارشناس قم", role="expert", office="qom")
    assert browser.page.status_code == 422
    assert "تنها حساب سرپرست" in page


async def test_a_supervisor_of_a_province_manages_no_account_of_another_office(console, browse):
    await console.account("boss", Role.SUPERVISOR)
    head = await console.account("head", Role.SUPERVISOR, HQ)
    browser = await browse().sign_in("boss")
    assert 'data-username="head"' not in await browser.open("/accounts")
    await browser.send("/accounts", username="other", name="کسی", role="supervisor", office="qom")
    assert browser.page.status_code == 422
    await browser.open("/accounts")
    await browser.send(f"/accounts/{head.id}/reset")
    assert browser.page.status_code == 404


async def test_nothing_is_written_about_an_erased_case(console, browser):
    await console.handle(erasure(12), province=HQ)
    await browser.open("/escalations")
    page = await browser.send("/escalations/comment", code=CODE, comment="تا فردا پاسخ دهید.")
    assert browser.page.status_code == 422
    assert "پاک شده است" in page
    assert [name for name, *_ in await sent(console)] == ["case-erased"]


async def test_a_referral_between_provinces_leaves_the_notice(console, browser):
    await console.handle(event("request-referred", 11), province="qom")
    assert f'data-code="{CODE}"' in await browser.open("/escalations")
