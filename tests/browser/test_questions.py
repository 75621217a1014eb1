"""A question with a deadline: asked in the console, not answered in time, and answered after that."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from browser.camera import Camera
from browser.pages import ConsolePage, TrackPage
from playwright.sync_api import Page, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for
from support.late_cases import DEADLINES_EVERY_SECOND


@pytest.fixture(scope="module")
def desk(resting_desk: RunningDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk that looks for passed deadlines every second."""
    assert resting_desk.process.poll() is None
    running = RunningDesk(tmp_path_factory.mktemp("asked") / "data", prelude=DEADLINES_EVERY_SECOND)
    yield running
    running.kill()


def end_term(desk: RunningDesk, code: str) -> None:
    """Let the term of a question pass."""
    with closing(sqlite3.connect(desk.folder / "tracking.sqlite3", timeout=20)) as store, store:
        past = (
            "UPDATE \"case\" SET alarm_at = '2026-01-01 00:00:00.000000', question_until = '2026-01-01 00:00:00.000000'"
        )
        assert store.execute(f"{past} WHERE tracking_code = ?", [code]).rowcount == 1


def test_an_unanswered_question_ends_the_request_and_an_answer_opens_it_again(
    desk: RunningDesk, open_page: Callable[..., Page]
):
    applicant = Applicant(desk.client, place=1)
    code = applicant.submit(province="yazd")
    Expert(desk.client, "yazd").receives(code)
    office = open_page(java_script_enabled=False)
    console = ConsolePage(office).sign_in("yazd")
    console.open_case(code)
    console.take()
    office.get_by_text("پرسش از متقاضی", exact=True).click()
    office.get_by_label("پرسش شما").fill("شمارهٔ گذرنامهٔ خود را بنویسید.")
    office.get_by_label("مهلت پاسخ متقاضی، به روز کاری").fill("۵")
    office.get_by_role("button", name="فرستادن پرسش").click()
    expect(office.locator("#asked_until")).to_be_visible()
    Camera(office, scripts=False).take("console-asked-until")

    applicant.sees(code, "info_requested")
    page = open_page()
    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.locator("#reply_until")).to_contain_text("می‌توانید پاسخ دهید")
    end_term(desk, code)
    applicant.sees(code, "unanswered")
    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.locator("#state")).to_have_text("بدون توضیح شما بسته شد")
    expect(page.locator("#reply_until")).to_contain_text("می‌توانید پاسخ دهید")
    Camera(page).take("track-unanswered")
    wait_for(lambda: office.goto(f"/demo/expert/cases/{code}") and office.locator(".line-request-unanswered").count())
    Camera(office, scripts=False).take("console-unanswered")

    details = page.locator("#action_reply")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    page.get_by_label("توضیح شما").fill("شمارهٔ گذرنامه: B12345678")
    page.get_by_role("button", name="فرستادن توضیح").click()
    page.locator("#confirm_yes").click()
    expect(page.locator("#state")).to_have_text("در حال بررسی")
    wait_for(lambda: office.goto(f"/demo/expert/cases/{code}") and office.locator(".line-request-replied").count())
    expect(office.locator(".tags")).to_contain_text("در دست بررسی")
