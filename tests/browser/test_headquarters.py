"""Headquarters' pages in a browser without scripts, and what the applicant sees of a case that headquarters has."""

from collections.abc import Callable, Iterator

import pytest
from browser.camera import Camera
from browser.pages import ConsolePage, TrackPage
from playwright.sync_api import Page, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for
from support.late_cases import DEADLINES_EVERY_SECOND, escalate

SHOWN_SECONDS = 150.0


@pytest.fixture(scope="module")
def desk(resting_desk: RunningDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk that looks for late answers every second; the other desk has installed the pages."""
    assert resting_desk.process.poll() is None
    running = RunningDesk(tmp_path_factory.mktemp("late") / "data", prelude=DEADLINES_EVERY_SECOND)
    yield running
    running.kill()


def open_until(page: Page, path: str, selector: str) -> None:
    """Open a page again until it has an element: events arrive in their own time, and figures are made each minute."""

    def shown() -> bool:
        page.goto(path)
        return page.locator(selector).count() > 0

    wait_for(shown, SHOWN_SECONDS, pause=0.5)


def test_a_late_case_is_found_commented_on_and_taken_over(desk: RunningDesk, open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    camera = Camera(page, scripts=False)
    applicant = Applicant(desk.client, place=1)
    code = applicant.submit(province="golestan")
    console = ConsolePage(page).sign_in("headquarters")
    page.get_by_role("link", name="پیگیری استان‌ها").click()
    expect(page.get_by_text("هیچ پاسخی برای بار دوم از مهلت نگذشته است.")).to_be_visible()
    escalate(desk, applicant, code)
    open_until(page, "/demo/expert/escalations", f'[data-code="{code}"]')
    expect(page.locator(f'[data-code="{code}"]')).to_contain_text("گلستان: ۰ روز")
    camera.take("console-escalations")

    page.get_by_role("link", name="اقدام").click()
    expect(page.get_by_label("کد پیگیری")).to_have_value(code)
    page.get_by_role("button", name="به عهده گرفتن درخواست").click()
    expect(page.locator("#reason_error")).to_be_visible()
    expect(page.get_by_label("کد پیگیری")).to_have_value(code)
    camera.take("console-escalations-error")
    page.get_by_label("یادداشت برای اداره").fill("لطفاً امروز پاسخ دهید.")
    page.get_by_role("button", name="فرستادن یادداشت").click()
    expect(page.locator("#done")).to_contain_text("متقاضی آن را نمی‌بیند")

    page.get_by_role("link", name="اقدام").click()
    page.get_by_label("دلیل به عهده گرفتن درخواست").fill("پاسخ استان دیر شده است.")
    page.get_by_role("button", name="به عهده گرفتن درخواست").click()
    expect(page.locator("#done")).to_contain_text("در فهرست درخواست‌های ستاد می‌آید")
    Expert(desk.client, "headquarters").receives(code)
    page.goto("/demo/expert/cases")
    console.open_case(code)
    console.take()
    camera.take("console-case-of-headquarters")
    console.answer("روادید شما صادر شد.")

    page.get_by_role("button", name="خروج").click()
    ConsolePage(page).sign_in("golestan")
    open_until(page, f"/demo/expert/cases/{code}", ".line-request-taken-over")
    expect(page.get_by_text("لطفاً امروز پاسخ دهید.")).to_be_visible()
    camera.take("console-case-taken-over")


def test_headquarters_manages_supervisors(desk: RunningDesk, open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    ConsolePage(page).sign_in("headquarters.supervisor")
    page.get_by_role("link", name="حساب‌ها").click()
    page.get_by_label("نام و نام خانوادگی").fill("سرپرست تازه")
    page.get_by_label("نام کاربری").fill("new.supervisor")
    page.get_by_label("اداره").select_option(label="استان قم")
    page.get_by_role("button", name="ساختن حساب").click()
    expect(page.locator("#office_error")).to_be_visible()
    page.get_by_label("نقش").select_option(label="سرپرست")
    page.get_by_role("button", name="ساختن حساب").click()
    expect(page.locator("#given code")).to_be_visible()
    Camera(page, scripts=False).take("console-accounts-of-headquarters")


def test_the_applicant_reads_which_office_has_the_request(desk: RunningDesk, open_page: Callable[..., Page]):
    page = open_page()
    applicant = Applicant(desk.client, place=2)
    code = applicant.submit(province="fars", subject="complaints", sub_subject="staff_conduct")
    Expert(desk.client, "headquarters").receives(code)
    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.locator("#result_province")).to_have_text("فارس")
    expect(page.locator("#result_office")).to_have_text("ستاد سازمان حج و زیارت")
    Camera(page).take("track-headquarters")


def test_headquarters_sees_the_figures_of_all_offices(desk: RunningDesk, open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    for place in range(3, 9):
        Applicant(desk.client, place=place).submit(province="yazd")
    ConsolePage(page).sign_in("headquarters")
    open_until(page, "/demo/expert/figures", '#offices tbody tr:has-text("یزد")')
    Camera(page, scripts=False).take("console-figures")


def test_headquarters_finds_a_case_of_any_office(desk: RunningDesk, open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    camera = Camera(page, scripts=False)
    code = Applicant(desk.client, place=11).submit(province="kerman")
    Expert(desk.client, "kerman").receives(code)
    ConsolePage(page).sign_in("headquarters")
    page.get_by_role("link", name="جست‌وجوی کد").click()
    page.get_by_role("textbox", name="کد پیگیری").fill("۱۲۳")
    page.get_by_role("button", name="جست‌وجو").click()
    expect(page.locator("#code_error")).to_be_visible()
    camera.take("console-search-error")
    page.get_by_role("textbox", name="کد پیگیری").fill(code)
    page.get_by_role("button", name="جست‌وجو").click()
    expect(page.locator("#found .trail")).to_contain_text("کرمان: ۰ روز")
    camera.take("console-search")
    page.get_by_label("یادداشت برای اداره").fill("لطفاً امروز پاسخ دهید.")
    page.get_by_role("button", name="فرستادن یادداشت").click()
    expect(page.locator("#done")).to_contain_text("متقاضی آن را نمی‌بیند")
