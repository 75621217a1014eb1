"""An SMS that did not reach the applicant is shown at the office and to the applicant, who corrects the mobile."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from browser.camera import Camera
from browser.pages import ConsolePage, TrackPage
from playwright.sync_api import Page, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk, wait_for

FAILURES_EVERY_SECOND = """
from desk.notifier.workers import failures
failures.PAUSE_SECONDS = 1.0
"""


@pytest.fixture(scope="module")
def desk(resting_desk: RunningDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk that looks for failed messages every second."""
    assert resting_desk.process.poll() is None
    running = RunningDesk(tmp_path_factory.mktemp("failed") / "data", prelude=FAILURES_EVERY_SECOND)
    yield running
    running.kill()


def fail_sms(desk: RunningDesk, code: str) -> bool:
    """Let the SMS about a request fail as a provider reports it; return whether there was one."""
    failed = (
        "UPDATE message SET state = 'failed', last_error = 'not_delivered' WHERE tracking_code = ? AND channel = 'sms'"
    )
    with closing(sqlite3.connect(desk.folder / "notifier.sqlite3", timeout=20)) as store, store:
        return store.execute(failed, [code]).rowcount == 1


def test_the_office_sees_that_an_sms_did_not_arrive(desk: RunningDesk, open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    applicant = Applicant(desk.client, place=1)
    code = applicant.submit(province="ilam", mobile="09131110030")
    Expert(desk.client, "ilam").receives(code)
    wait_for(lambda: fail_sms(desk, code))
    ConsolePage(page).sign_in("ilam")
    wait_for(lambda: page.goto(f"/demo/expert/cases/{code}") and page.locator("#unreached").count(), pause=0.5)
    expect(page.locator(".line-request-notice-failed")).to_contain_text("اپراتور پیامک را به گوشی نرساند")
    Camera(page, scripts=False).take("console-failed-sms")

    visitor = open_page()
    TrackPage(visitor).open().ask(applicant.national_id, code)
    visitor.get_by_role("link", name="پیامک به شما نرسید").click()
    expect(visitor.locator("#mobile")).to_be_visible()
    Camera(visitor).take("track-unreached")
    visitor.locator("#mobile").fill("09131110031")
    visitor.get_by_role("button", name="فرستادن کد به این شماره").click()
    expect(visitor.locator("#mobile_code")).to_be_focused()
    visitor.locator("#mobile_code").fill(CAPTCHA_ANSWER)
    visitor.get_by_role("button", name="ثبت شمارهٔ تازه").click()
    expect(visitor.locator("#moved")).to_contain_text("شمارهٔ تلفن همراه درخواست تغییر کرد")
    expect(visitor.locator("#result_unreached")).to_be_hidden()

    changed = page.locator(".line-request-contact-changed")
    wait_for(lambda: page.goto(f"/demo/expert/cases/{code}") and changed.count(), pause=0.5)
    expect(changed).to_contain_text("۰۹۱۳۱۱۱۰۰۳۱")
    expect(page.locator("#unreached")).to_have_count(0)
    Camera(page, scripts=False).take("console-contact-changed")
