"""The texts of SMS and email are edited by two people of headquarters, and the next message has the new text."""

from collections.abc import Callable, Iterator

import pytest
from browser.camera import Camera
from browser.pages import ConsolePage
from browser.test_catalog import approve, begin, propose
from playwright.sync_api import Page, expect
from support.embedded_desk import RunningDesk

NOTE = "متن کوتاه‌تر برای پاسخ"
SMS = "میز خدمت سازمان حج و زیارت\nپاسخ شما آماده است.\nکد پیگیری: {{ code }}"


@pytest.fixture(scope="module")
def desk(resting_desk: RunningDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk of its own, whose texts these tests change; the other desk has installed the pages."""
    assert resting_desk.process.poll() is None
    running = RunningDesk(tmp_path_factory.mktemp("texts") / "data")
    yield running
    running.kill()


@pytest.fixture
def headquarters(open_page: Callable[..., Page]) -> Callable[[str], Page]:
    """Sign people of headquarters in, each in a browser of their own without scripts."""

    def sign_in(username: str) -> Page:
        page = open_page(java_script_enabled=False)
        ConsolePage(page).sign_in(username)
        page.get_by_role("link", name="متن پیام‌ها").click()
        return page

    return sign_in


def write_answer(page: Page) -> None:
    """Change the SMS of an answer in both languages, after a mistake that stays in the form."""
    page.get_by_role("link", name="پاسخ کارشناسان").click()
    button = page.get_by_role("button", name="ثبت در پیش‌نویس و دیدن پیام‌ها")
    page.locator("#fa-sms-text").fill("پاسخ را در https://example.com بخوانید. {{ code }}")
    button.click()
    expect(page.locator("#fa-sms-text_error")).to_contain_text("پیوند")
    expect(page.locator("#fa-sms-text")).to_have_value("پاسخ را در https://example.com بخوانید. {{ code }}")
    Camera(page, scripts=False).take("console-texts-refused")
    page.locator("#fa-sms-text").fill(SMS)
    page.locator("#en-sms-text").fill("Your request was answered.\nTracking code: {{ code }}")
    page.locator("#en-email-subject").fill("An answer from {{ office }}")
    button.click()
    expect(page.locator("#done")).to_contain_text("ثبت شد")
    expect(page.locator("#fa-sms_typical")).to_contain_text("پاسخ شما آماده است.")
    expect(page.locator("#fa-sms_longest")).to_contain_text("۱ بخش از ۲ · ۷۰ نویسه")
    expect(page.locator("#en-sms_longest")).to_contain_text("۱ بخش از ۲")
    expect(page.locator("#en-email_longest")).to_contain_text("An answer from")
    see_email(page)
    Camera(page, scripts=False).take("console-texts-notice")


def see_email(page: Page) -> None:
    """Check that an email is shown with its styles, as its recipient sees it, in a frame without rights."""
    for language, direction in (("fa", "right"), ("en", "left")):
        place = page.locator(f"#{language}-email_typical")
        place.locator("iframe").scroll_into_view_if_needed()
        email = place.frame_locator("iframe")
        link = email.get_by_role("link")
        expect(link).to_have_css("background-color", "rgb(20, 83, 45)")
        expect(email.locator("body > div")).to_have_css("text-align", direction)
        expect(place.locator("iframe")).to_have_attribute("sandbox", "")
        expect(place.locator(".message-preview")).to_contain_text("/track")


def test_two_people_change_a_text_and_its_difference_is_shown(headquarters: Callable[[str], Page]):
    author = headquarters("headquarters")
    Camera(author, scripts=False).take("console-texts")
    begin(author, NOTE)
    expect(author.locator("[data-notice]")).to_have_count(14)
    write_answer(author)
    author.get_by_role("link", name="بازگشت به پیش‌نویس").click()
    expect(author.locator("#changes")).to_contain_text("پاسخ کارشناسان › پیامک › فارسی › متن")
    expect(author.locator("#changes")).to_contain_text("An answer from {{ office }}")
    propose(author)
    expect(author.get_by_role("button", name="تصویب", exact=True)).to_have_count(0)
    Camera(author, scripts=False).take("console-texts-draft")

    approve(headquarters("headquarters.supervisor"), NOTE, "texts")
    author.goto("/demo/expert/texts")
    expect(author.locator("[data-version='2']")).to_contain_text("در حال اجرا")


def test_a_version_can_be_cancelled_before_its_time(headquarters: Callable[[str], Page]):
    author, supervisor = headquarters("headquarters"), headquarters("headquarters.supervisor")
    author.get_by_label("با محتوای").select_option("1")
    begin(author, "پس گرفتن، کوتاه‌تر")
    author.get_by_role("link", name="پس گرفتن درخواست").click()
    author.locator("#fa-sms-text").fill("درخواست شما پس گرفته شد.\nکد پیگیری: {{ code }}")
    author.get_by_role("button", name="ثبت در پیش‌نویس و دیدن پیام‌ها").click()
    author.get_by_role("link", name="بازگشت به پیش‌نویس").click()
    propose(author)
    supervisor.goto("/demo/expert/texts")
    supervisor.get_by_role("link", name="پس گرفتن، کوتاه‌تر").click()
    supervisor.get_by_label("زمان اجرا").fill("۱۴۹۰/۰۱/۰۱ ۱۰:۰۰")
    supervisor.get_by_role("button", name="تصویب", exact=True).click()
    expect(supervisor.locator("#done")).to_contain_text("تصویب شد")
    supervisor.get_by_role("button", name="لغو").first.click()
    expect(supervisor.locator("#done")).to_contain_text("لغو شد")
