"""Without JavaScript no request can be sent; the pages say so and what to do."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.parametrize("path", ["/send", "/track", "/my-requests"])
def test_a_form_is_replaced_by_instructions(open_page: Callable[..., Page], path: str):
    page = open_page(width=320, java_script_enabled=False)
    page.goto(path)
    notice = page.locator("noscript .notice")
    expect(notice).to_contain_text("برای این صفحه جاوااسکریپت لازم است.")
    expect(notice).to_contain_text("جاوااسکریپت را در تنظیمات مرورگر خود روشن کنید")
    expect(page.locator("form:visible")).to_have_count(0)


def test_home_and_help_need_no_scripts(open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="راهنمای میز خدمت").click()
    expect(page.get_by_role("heading", name="راهنمای میز خدمت")).to_be_visible()
    page.get_by_text("کد پیگیری را گم کرده‌ام").click()
    expect(page.get_by_text("در پیامکی آمده")).to_be_visible()
