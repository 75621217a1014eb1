"""Measurements that do not depend on the speed of the machine; `benchmarks/pages.py` has the others."""

from collections.abc import Callable

import pytest
from browser.camera import check_width
from browser.pages import SendPage, TrackPage, living
from playwright.sync_api import Page, Route, expect
from support.embedded_desk import RunningDesk

SHIFT = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
SHIFT_MOST = 0.02
NOTICE = "ثبت‌نام عمرهٔ دانشجویی تا پایان دی ادامه دارد. پیش از ثبت‌نام، گذرنامه‌ای با دست‌کم هفت ماه اعتبار آماده کنید."


@pytest.mark.parametrize("width", [360, 1280])
def test_the_layout_does_not_shift(open_page: Callable[..., Page], desk: RunningDesk, width: int):
    page = open_page(width=width, height=700)
    page.add_init_script(SHIFT)
    send = SendPage(page).open()
    assert page.evaluate("window.shift") <= SHIFT_MOST, "while the send page loads"

    send.identify(living(desk.client, 51))
    page.locator("#text").press_sequentially("متنی که نوشته می‌شود")
    assert page.evaluate("window.shift") <= SHIFT_MOST, "while it is filled"

    TrackPage(page).open()
    assert page.evaluate("window.shift") <= SHIFT_MOST, "while the tracking page loads"


@pytest.mark.parametrize("width", [360, 1280])
def test_a_notice_after_the_first_paint_moves_nothing_and_opens_to_be_read(
    open_page: Callable[..., Page], desk: RunningDesk, width: int
):
    catalogue = desk.client.get("/api/catalog").json()
    catalogue["notices"] = [
        {"text": NOTICE, "text_en": None, "level": level, "pages": ["home", "send", "track"]}
        for level in ("info", "warning")
    ]
    page = open_page(width=width, height=640)
    page.add_init_script(SHIFT)
    waiting: list[Route] = []

    def delay(route: Route) -> None:
        waiting.append(route)

    page.route("**/api/catalog", delay)
    for path in ("/", "/send", "/track"):
        page.goto(path)
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length === 1")
        expect(page.locator("#captcha[data-state=ready]" if path != "/" else ".cards")).to_be_visible()
        waiting.pop().fulfill(json=catalogue)
        notice = page.locator("#desk_notices details")
        expect(notice).to_contain_text(NOTICE)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        assert page.evaluate("window.shift") <= SHIFT_MOST, path
        closed = notice.bounding_box()
        notice.locator("summary").click()
        opened = notice.bounding_box()
        assert closed is not None
        assert opened is not None
        assert opened["height"] > 2 * closed["height"]
        check_width(page, path)
    assert waiting == []


def test_the_page_with_figures_says_that_nothing_is_published(page: Page):
    page.goto("/figures")
    expect(page.locator("#figures_status")).to_have_text("سازمان اکنون آماری از میز خدمت منتشر نمی‌کند.")
    expect(page.locator("#figures_shown")).to_be_hidden()
    expect(page.locator("#figures_retry")).to_be_hidden()
