"""The code by SMS in the form: shown for unconfirmed identities, bound to the mobile, and announced."""

import json
import re

import pytest
from browser.camera import Camera
from browser.pages import MOBILE, SendPage, living
from playwright.sync_api import Page, Route, expect
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk

from desk.iran.digits import to_ascii

FOREIGN_CODE = "123456789012"
CLOCK = "const real = Date.now; Date.now = () => real() + (window.ahead ?? 0);"
"""A clock that a test can set ahead."""


@pytest.fixture
def pending(page: Page, desk: RunningDesk) -> SendPage:
    """The form of a foreign national, complete except for both codes."""
    page.add_init_script(CLOCK)
    send = SendPage(page).open()
    send.type_birth_date(living(desk.client, 44))
    send.type_national_id(FOREIGN_CODE)
    expect(page.locator("#identity[data-state=pending]")).to_be_visible()
    page.get_by_label("نام", exact=True).fill("ناشناس")
    page.get_by_label("نام خانوادگی").fill("آزمایشی")
    page.get_by_label("زن", exact=True).check()
    send.fill_rest()
    send.read_code()
    return send


def test_a_confirmed_applicant_does_not_see_the_step(page: Page, desk: RunningDesk):
    send = SendPage(page).open()
    send.identify(living(desk.client, 45))

    expect(page.locator("#mobile_proof")).to_be_hidden()
    send.fill_rest()
    send.read_code()
    send.submit.click()
    send.received_code()


PLACES = "() => ['mobile_code', 'text'].map((id) => document.getElementById(id).getBoundingClientRect().top + scrollY)"


@pytest.mark.parametrize("width", [320, 1280])
def test_the_message_has_the_code_and_nothing_moves_when_it_is_sent(
    page: Page, desk: RunningDesk, pending: SendPage, width: int
):
    field = page.locator("#mobile_code")
    Camera(page).take("send-mobile-code")
    page.set_viewport_size({"width": width, "height": 900})
    before = page.evaluate(PLACES)

    page.locator("#mobile_code_send").click()

    expect(page.locator("#mobile_code_status")).to_contain_text("کد فرستاده شد")
    expect(field).to_be_focused()
    assert page.evaluate(PLACES) == before
    expect(page.locator("#mobile_code_wait")).to_contain_text(re.compile(r"[۰-۹]+ ثانیه"))
    expect(page.locator("#mobile_code_send")).to_have_attribute("aria-disabled", "true")
    Camera(page).take("send-mobile-code-sent")
    newest = next(each for each in desk.client.get("/demo/messages").json() if each["template"] == "code")
    assert f"کد تأیید: {CAPTCHA_ANSWER}" in newest["text"]
    assert newest["recipient"] == f"+98{to_ascii(MOBILE)[1:]}"


def test_a_wrong_code_keeps_the_security_code_and_the_text(page: Page, desk: RunningDesk, pending: SendPage):
    pending.confirm_mobile(answer="99999")
    pending.submit.click()

    expect(page.locator("#mobile_code_error")).to_contain_text("کد تأیید درست نیست")
    expect(page.locator("#captcha_answer")).not_to_have_value("")
    page.locator("#mobile_code").fill(CAPTCHA_ANSWER)
    expect(page.locator("#mobile_code_error")).to_be_hidden()
    pending.submit.click()
    pending.received_code()


def test_another_number_voids_the_code(page: Page, pending: SendPage):
    pending.confirm_mobile()

    page.get_by_label("تلفن همراه").fill("09129999999")

    expect(page.locator("#mobile_code_status")).to_contain_text("تغییر کرد")
    expect(page.locator("#mobile_code")).to_have_value("")
    pending.submit.click()
    expect(page.locator("#mobile_code_error")).to_contain_text("فرستادن کد")
    pending.confirm_mobile()
    pending.submit.click()
    pending.received_code()


def test_an_invalid_number_is_shown_at_its_field(page: Page, pending: SendPage):
    page.get_by_label("تلفن همراه").fill("0912")
    page.locator("#mobile_code_send").click()

    expect(page.locator("#mobile_error")).to_contain_text("۰۹")
    expect(page.get_by_label("تلفن همراه")).to_be_focused()


def test_an_unconfirmed_applicant_abroad_needs_an_iranian_number(page: Page, pending: SendPage):
    page.locator("#abroad").check()
    page.get_by_label("تلفن همراه").fill("+4915123456789")
    page.get_by_label("ایمیل").fill("someone@example.com")
    pending.submit.click()

    expect(page.locator("#mobile_error")).to_contain_text("ایرانی")


def test_an_exhausted_number_says_how_long_to_wait(page: Page, pending: SendPage):
    def refuse(route: Route) -> None:
        if route.request.post_data_json["kind"] != "sms":
            route.continue_()
            return
        problem = {"type": "/problems/codes_exhausted", "status": 429, "code": "codes_exhausted", "errors": []}
        problem |= {"title": "به این شماره به اندازهٔ مجاز کد فرستاده شده است."}
        headers = {"Content-Type": "application/problem+json", "Retry-After": "540"}
        route.fulfill(status=429, headers=headers, body=json.dumps(problem))

    page.route("**/api/captchas", refuse)
    page.locator("#mobile_code_send").click()

    expect(page.locator("#mobile_code_status")).to_contain_text("حدود ۹ دقیقهٔ دیگر")
    expect(page.locator("#mobile_code_send")).to_have_attribute("aria-disabled", "false")


def test_another_code_may_be_requested_after_a_minute(page: Page, pending: SendPage):
    pending.confirm_mobile()
    page.evaluate("window.ahead = 61_000")

    expect(page.locator("#mobile_code_wait")).to_be_empty()
    expect(page.locator("#mobile_code_send")).to_have_text("فرستادن دوبارهٔ کد")
    with page.expect_response(lambda answer: "sms" in (answer.request.post_data or "")) as sent:
        page.locator("#mobile_code_send").click()
    assert sent.value.status == 201


def test_a_required_proof_of_work_is_done_before_the_code_is_sent(page: Page, pending: SendPage):
    asked: list[int] = []

    def require(route: Route) -> None:
        body = route.request.post_data_json
        if body["kind"] == "work":
            asked.append(body["level"])
        if body["kind"] != "sms" or len(asked) > 1:
            route.continue_()
            return
        problem = {"title": "کار لازم است.", "status": 429, "code": "proof_required", "errors": [], "level": 1}
        route.fulfill(status=429, headers={"Content-Type": "application/problem+json"}, body=json.dumps(problem))

    page.route("**/api/captchas", require)
    page.locator("#mobile_code_send").click()
    expect(page.locator("#mobile_code_work_status")).to_contain_text("چند تلاش نادرست")
    expect(page.locator("#mobile_code_status")).to_contain_text("کد فرستاده شد")
    expect(page.locator("#mobile_code_work_status")).to_be_empty()
    assert asked == [0, 1]


def test_the_step_is_in_english_too(page: Page):
    page.goto("/send?lang=en")
    expect(page.locator("#mobile_code_send")).to_have_text("Send a code to this number")
