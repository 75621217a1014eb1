"""The console's sign-in after wrong passwords, with and without scripts, and the page of own sessions."""

from collections.abc import Callable

from browser.camera import Camera
from browser.pages import ConsolePage
from playwright.sync_api import Page, expect
from support.console_client import DEMONSTRATION, PASSWORD

WRONG = "a wrong password"
"""The accounts of these tests are used by no other file: its tests may run on the same desk."""


def try_password(page: Page, username: str, password: str) -> None:
    page.get_by_label("نام کاربری").select_option(username)
    page.get_by_label("گذرواژه").fill(password)
    page.get_by_role("button", name="ورود").click()


def fail(page: Page, username: str, times: int) -> None:
    page.goto(f"{DEMONSTRATION}/sign-in")
    for _ in range(times):
        try_password(page, username, WRONG)
        expect(page.get_by_role("alert")).to_contain_text("نام کاربری یا گذرواژه درست نیست")


def test_the_right_password_passes_after_the_proof_of_work(open_page: Callable[..., Page]):
    page = open_page(320)
    fail(page, "qazvin", 5)
    expect(page.locator("#proof_status")).to_contain_text("محاسبه انجام شد")
    Camera(page).take("console-sign-in-proof")
    try_password(page, "qazvin", PASSWORD)
    expect(page.get_by_role("heading", name="درخواست‌ها")).to_be_visible()


def test_a_form_that_is_sent_during_the_work_waits_for_it(open_page: Callable[..., Page]):
    page = open_page()
    fail(page, "kurdistan", 5)
    try_password(page, "kurdistan", PASSWORD)
    expect(page.get_by_role("heading", name="درخواست‌ها")).to_be_visible()


def test_without_scripts_a_sentence_says_that_this_step_needs_them(open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    fail(page, "markazi", 5)
    sentence = page.locator("#proof noscript p")  # Playwright reads no text of it, only HTML
    expect(sentence).to_be_visible()
    assert "این مرحله به اسکریپت نیاز دارد" in sentence.inner_html()
    try_password(page, "markazi", PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("دوباره بنویسید")
    Camera(page, scripts=False).take("console-sign-in-without-scripts")


def test_another_session_is_seen_and_ended(open_page: Callable[..., Page]):
    phone, page = open_page(320), open_page()
    ConsolePage(phone).sign_in("hamadan.supervisor")
    ConsolePage(page).sign_in("hamadan.supervisor")
    page.get_by_role("link", name="نشست‌های من").click()
    expect(page.get_by_text("همین نشست")).to_have_count(1)
    Camera(page).take("console-sessions")
    page.get_by_role("button", name="پایان دادن به نشست").click()
    expect(page.get_by_role("status")).to_have_text("آن نشست پایان یافت.")
    phone.reload()
    expect(phone.get_by_role("heading", name="ورود کارشناسان")).to_be_visible()
