"""The page «کدها و درخواست‌های من»: from a code by SMS to the opened request, in both languages."""

import pytest
from browser.camera import Camera
from playwright.sync_api import Page, Route, expect
from support.applicant import Applicant
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk, wait_for

from desk.iran.digits import to_persian


@pytest.fixture
def applicant(desk: RunningDesk) -> Applicant:
    """An applicant with a request that the office has not received yet."""
    return Applicant(desk.client, place=130)


def ask(page: Page, national_id: str, mobile: str, *, send: str, see: str) -> None:
    """Fill in the form and enter the code of the message."""
    page.locator("#national_id").fill(national_id)
    page.locator("#mobile").fill(mobile)
    page.get_by_role("button", name=send).click()
    expect(page.locator("#mobile_code")).to_be_focused()
    page.locator("#mobile_code").fill(CAPTCHA_ANSWER)
    page.get_by_role("button", name=see).click()
    expect(page.locator("#result_title")).to_be_focused()


def test_an_applicant_without_the_code_opens_the_request(page: Page, desk: RunningDesk, applicant: Applicant):
    mobile = "09131110001"
    code = applicant.submit(mobile=mobile)
    wait_for(lambda: applicant.track(code).status_code == 200)

    page.goto("/")
    page.get_by_role("link", name="کدها و درخواست‌های من").click()
    page.get_by_role("button", name="دیدن درخواست‌ها").click()
    expect(page.locator("#error_summary")).to_contain_text("کد پیامک را وارد کنید")
    Camera(page).take("my-requests-faults")
    ask(
        page,
        to_persian(applicant.national_id),
        to_persian(mobile),
        send="فرستادن کد به این شماره",
        see="دیدن درخواست‌ها",
    )
    expect(page.locator("#own_requests li")).to_have_count(1)
    Camera(page).take("my-requests")

    page.get_by_role("link", name="باز کردن درخواست").click()
    expect(page.locator("#state")).to_be_visible()
    assert page.url.endswith("/track")
    shown = page.locator("#result_code").text_content()
    assert shown is not None
    assert shown.replace(" ", "") == to_persian(code)

    page.reload()
    expect(page.locator("#tracking_form")).to_be_visible()
    expect(page.locator("#captcha[data-state=ready]")).to_be_visible()


def test_an_expired_token_of_the_list_leads_to_the_usual_form(page: Page, desk: RunningDesk):
    page.goto("/track")
    page.evaluate("sessionStorage.setItem('desk-opened-request', 'not.a.token')")
    page.reload()
    expect(page.locator("#error_summary")).to_contain_text("زمان باز کردن این درخواست از فهرست گذشته است")
    expect(page.locator("#captcha[data-state=ready]")).to_be_visible()


def test_an_empty_list_says_what_to_do(page: Page, desk: RunningDesk, applicant: Applicant):
    page.goto("/my-requests?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    Camera(page).take("my-requests-form-en")
    ask(page, applicant.national_id, "09131110002", send="Send a code to this number", see="See the requests")
    expect(page.locator("#none")).to_contain_text("No request was found")
    expect(page.locator("#own_requests li")).to_have_count(0)
    Camera(page).take("my-requests-none-en")


def test_a_subject_that_is_newer_than_the_page_has_its_english_title(page: Page, desk: RunningDesk):
    mobile, applicant = "09131110003", Applicant(desk.client, place=131)
    code = applicant.submit(mobile=mobile)
    wait_for(lambda: applicant.track(code).status_code == 200)
    new = {"key": "new_subject", "title": "موضوع تازه"}

    def renamed(route: Route) -> None:
        response = route.fetch()
        found = response.json()
        for each in found.get("requests", [found]):
            each["sub_subject"] = new
        route.fulfill(response=response, json=found)

    def added(route: Route) -> None:
        response = route.fetch()
        catalog = response.json()
        catalog["subjects"][0]["sub_subjects"].append({**new, "title_en": "A new subject", "answer_within_days": 5})
        route.fulfill(response=response, json=catalog)

    page.route("**/api/tracking/**", renamed)
    page.route("**/api/catalog", added)
    page.goto("/my-requests?lang=en")
    ask(page, applicant.national_id, mobile, send="Send a code to this number", see="See the requests")
    expect(page.locator("#own_requests li")).to_contain_text("A new subject")
    page.locator("#own_requests a").click()
    expect(page.locator("#result_sub_subject")).to_have_text("A new subject")
