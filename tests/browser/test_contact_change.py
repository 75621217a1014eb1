"""The correction of the mobile on the tracking page, in both languages."""

from browser.camera import Camera
from browser.pages import TrackPage
from playwright.sync_api import Page, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk

from desk.iran.digits import to_persian


def give(page: Page, mobile: str, *, send: str, answer: str = CAPTCHA_ANSWER) -> None:
    """Type another mobile, have a code sent, and enter it."""
    page.locator("#mobile").fill(mobile)
    page.get_by_role("button", name=send).click()
    expect(page.locator("#mobile_code")).to_be_focused()
    page.locator("#mobile_code").fill(answer)


def test_an_applicant_whom_no_sms_reached_corrects_the_mobile(page: Page, desk: RunningDesk):
    applicant = Applicant(desk.client, place=131)
    code = applicant.submit(province="semnan", mobile="09131110010")
    Expert(desk.client, "semnan").receives(code)
    applicant.sees(code, "received")
    TrackPage(page).open().ask(applicant.national_id, code)
    page.get_by_text("پیامک نرسید یا شمارهٔ شما عوض شده است؟").click()
    page.get_by_role("button", name="ثبت شمارهٔ تازه").click()
    expect(page.locator("#mobile_error")).to_contain_text("شمارهٔ تلفن همراه خود را وارد کنید")

    give(page, to_persian("09131110011"), send="فرستادن کد به این شماره", answer="11111")
    page.get_by_role("button", name="ثبت شمارهٔ تازه").click()
    expect(page.locator("#mobile_code_error")).to_contain_text("کد پیامک درست نیست")
    Camera(page).take("track-contact-wrong-code")
    page.locator("#mobile_code").fill(CAPTCHA_ANSWER)
    page.get_by_role("button", name="ثبت شمارهٔ تازه").click()

    expect(page.locator("#moved")).to_contain_text("شمارهٔ تلفن همراه درخواست تغییر کرد")
    expect(page.locator("#sent_mobile")).to_have_text("۰۹۱۳*****۱۱")
    expect(page.locator("#history li").first).to_contain_text("شمارهٔ تلفن همراه درخواست تغییر کرد")
    expect(page.locator("#history li").first).to_contain_text("۰۹۱۳*****۱۱")
    Camera(page).take("track-contact-changed")


def test_the_correction_in_english(page: Page, desk: RunningDesk):
    applicant = Applicant(desk.client, place=132)
    code = applicant.submit(province="semnan", mobile="09131110020")
    Expert(desk.client, "semnan").receives(code)
    applicant.sees(code, "received")
    page.goto("/track?lang=en")
    expect(page.locator("#captcha[data-state=ready]")).to_be_visible()
    page.locator("#national_id").fill(applicant.national_id)
    page.locator("#tracking_code").fill(code)
    page.locator("#captcha_answer").fill(CAPTCHA_ANSWER)
    page.locator("#submit").click()
    page.get_by_text("No text message, or another number?").click()
    give(page, "09131110020", send="Send a code to this number")
    page.get_by_role("button", name="Save the new number").click()
    expect(page.locator("#mobile_error")).to_contain_text("This is the number that the request has already")
    give(page, "09131110021", send="Send a code to this number")
    page.get_by_role("button", name="Save the new number").click()
    expect(page.locator("#moved")).to_contain_text("The mobile of the request was changed")
    Camera(page).take("track-contact-changed-en")
