"""What people really type, choose and have: on a page with a device's faults."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser.pages import SendPage, TrackPage, living
from playwright.sync_api import Page, Route, expect
from support.applicant import Applicant
from support.embedded_desk import RunningDesk

from desk.iran.jalali import JalaliDate

FOLDER = Path(__file__).parents[2] / "services" / "intake" / "tests" / "files"
LINES = "شماره تماس: 021-8888 8888 یا +98 912 123 4567.\nPlease call in the morning.\n۶۴۴۱ ۱۸۰۷ ۴۰۱۰"


def test_files_with_unusual_names_are_sent(page: Page, desk: RunningDesk):
    content = (FOLDER / "photo.jfif").read_bytes()
    names = ["photo.jfif", "1000012345", "image", "scan.jpe", "scan.jpg "]
    send = SendPage(page).open()
    send.identify(living(desk.client, 21))

    page.locator("#attachments").set_input_files([{"name": name, "mimeType": "", "buffer": content} for name in names])

    expect(page.locator(".file[data-state=sent]")).to_have_count(len(names))


@pytest.mark.parametrize(
    "mobile", ["+98 (0)912 123 4567", "00980912 1234567", "0912\u2014123\u20144567", "0912\u00ad1234567"]
)
def test_a_mobile_is_accepted_in_every_form_that_the_desk_accepts(page: Page, desk: RunningDesk, mobile: str):
    send = SendPage(page).open()
    page.get_by_label("تلفن همراه").fill(mobile)
    page.get_by_label("تلفن همراه").press("Tab")

    expect(page.locator("#mobile_error")).to_be_hidden()
    assert send.submit.is_visible()


def test_the_area_code_follows_the_province_until_the_applicant_changes_it(page: Page, desk: RunningDesk):
    send = SendPage(page).open()
    send.choose_province("isfahan")
    area_code = page.get_by_label("پیش‌شماره")
    expect(area_code).to_have_value("۰۳۱")
    send.choose_province("fars")
    expect(area_code).to_have_value("۰۷۱")

    area_code.fill("21")
    send.choose_province("isfahan")
    expect(area_code).to_have_value("21")


def test_an_email_in_persian_letters_has_a_hint(page: Page, desk: RunningDesk):
    SendPage(page).open()
    page.get_by_label("ایمیل").fill("علی@gmail.com")
    page.get_by_label("ایمیل").press("Tab")

    expect(page.locator("#email_error")).to_contain_text("حروف انگلیسی")


def test_the_tracking_page_shows_what_was_sent(page: Page, desk: RunningDesk):
    applicant = Applicant(desk.client, 22)
    code = applicant.submit(text=LINES, email="someone@example.com", mobile="09121234567")

    TrackPage(page).open().ask(applicant.national_id, f"کد پیگیری: {code}")

    sent = page.locator("#sent_text")
    expect(sent).to_contain_text("021-8888 8888")
    expect(page.locator("#sent_mobile")).to_have_text("۰۹۱۲*****۶۷")
    expect(page.locator("#sent_email")).to_have_text("s***@example.com")
    numbers = sent.locator("bdi[dir=ltr]")
    expect(numbers).to_have_text(["021-8888 8888", "+98 912 123 4567", "۶۴۴۱ ۱۸۰۷ ۴۰۱۰"])
    sides = sent.evaluate("each => getComputedStyle(each).unicodeBidi")
    assert sides == "plaintext", "each line has its own direction"


@pytest.mark.parametrize("zone", ["Asia/Tehran", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_dates_are_those_of_tehran_on_a_device_with_another_clock(
    open_page: Callable[..., Page], desk: RunningDesk, zone: str
):
    applicant = Applicant(desk.client, 23)
    code = applicant.submit()
    due = JalaliDate.parse(applicant.track(code).json()["due_local"][:10]).long()
    page = open_page(timezone_id=zone)

    TrackPage(page).open().ask(applicant.national_id, code)

    expect(page.locator("#result_due")).to_contain_text(due)


def test_a_page_whose_scripts_do_not_arrive_says_what_to_do(page: Page, desk: RunningDesk):
    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/*.js", refuse)
    page.goto("/send")
    late = page.locator(".scripts-late")
    expect(late).to_be_hidden()
    expect(late).to_be_visible(timeout=30_000)
    expect(late).to_contain_text("دوباره باز کنید")

    page.unroute("**/*.js", refuse)
    page.goto("/track")
    expect(page.locator("#submit")).to_be_enabled()
    assert page.locator(".scripts-late").evaluate("each => getComputedStyle(each).display") == "none"


@pytest.mark.parametrize("path", ["/", "/send", "/track", "/help"])
def test_a_telephone_makes_no_links_of_codes_and_the_header_has_one_line(page: Page, path: str):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(path)

    expect(page.locator("meta[name=format-detection]")).to_have_attribute("content", "telephone=no")
    tops = page.locator(".site-nav a").evaluate_all("links => links.map(each => each.getBoundingClientRect().top)")
    assert len(set(tops)) == 1, "the sections are on one line"
    lines = "name => name.getClientRects().length"
    assert page.locator(".brand-service").evaluate(lines) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_an_applicant_abroad_gives_a_foreign_number_and_an_email(page: Page, desk: RunningDesk):
    send = SendPage(page).open()
    send.fill_all(living(desk.client, 24), files=False)
    page.get_by_label("خارج از ایران زندگی می‌کنم").check()
    page.get_by_label("تلفن همراه").fill("+49 151 2345 6789")
    send.read_code()
    send.submit.click()
    expect(page.locator("#email_error")).to_contain_text("پیامک به شماره‌های خارج از ایران نمی‌رسد")

    page.get_by_label("ایمیل").fill("someone@example.com")
    send.submit.click()
    send.received_code()
    expect(page.locator("#notice_way")).to_have_text("خبرها به ایمیل شما فرستاده می‌شود.")


def test_the_same_request_within_a_day_is_a_question(open_page: Callable[..., Page], desk: RunningDesk):
    person = living(desk.client, 25)
    for again in (False, True):
        page = open_page()
        send = SendPage(page).open()
        send.fill_all(person, files=False)
        send.read_code()
        send.submit.click()
        if again:
            question = page.get_by_role("dialog", name="همین درخواست را امروز فرستاده‌اید")
            expect(question).to_be_visible()
            question.get_by_role("button", name="دوباره فرستاده شود").click()
        send.received_code()
