"""Measurements that do not depend on the speed of the machine; `benchmarks/pages.py` has the others."""

from collections.abc import Callable

import pytest
from browser.pages import SendPage, TrackPage, living
from playwright.sync_api import Page, expect
from support.embedded_desk import RunningDesk

SHIFT = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
SHIFT_MOST = 0.05


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


def test_the_page_with_figures_says_that_nothing_is_published(page: Page):
    page.goto("/figures")
    expect(page.locator("#figures_status")).to_have_text("سازمان اکنون آماری از میز خدمت منتشر نمی‌کند.")
    expect(page.locator("#figures_shown")).to_be_hidden()
    expect(page.locator("#figures_retry")).to_be_hidden()
