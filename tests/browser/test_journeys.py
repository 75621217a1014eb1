"""The story in other manners: on the smallest screen, with large letters, in the dark, in English, by keys alone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from browser.camera import nothing_is_beside
from browser.pages import MOBILE, TEXT, SendPage, TrackPage, day_of, living
from browser.test_keyboard import Keyboard
from playwright.sync_api import Page, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk

from desk.iran.digits import to_persian

ANSWER = "روادید شما صادر شده است."
LARGE_LETTERS = {"standard": 32, "fixed": 26}
"""Chromium's own setting «Very large», twice the usual: what WCAG 1.4.4 means by text at 200 %."""


@dataclass(frozen=True)
class Manner:
    """How somebody comes to the pages."""

    place: int
    """Among the living people."""
    options: Mapping[str, object] = field(default_factory=dict)
    large: bool = False
    language: str = "fa"


MANNERS = {
    "320 px": Manner(46, {"width": 320, "height": 640, "has_touch": True}),
    "200 % text": Manner(47, {"width": 1280}, large=True),
    "dark": Manner(48, {"width": 768, "color_scheme": "dark"}),
    "English": Manner(50, {"width": 360, "height": 640}, language="en"),
}


def fits(page: Page) -> None:
    """Expect that nothing lies beside the screen and no words are cut off."""
    nothing_is_beside(page, page.url)
    cut = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((each) => {
          const style = getComputedStyle(each);
          if (each.matches(".visually-hidden, .visually-hidden *, textarea, progress, img, svg *")) return false;
          const cuts = style.overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1;
          return cuts && each.textContent.trim() !== "";
        }).map((each) => each.outerHTML.slice(0, 200))"""
    )
    assert cut == []


def in_letters_twice_as_large(page: Page) -> None:
    """Set it as a person does in the browser's settings."""
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": LARGE_LETTERS})


@pytest.mark.parametrize("name", MANNERS)
def test_a_request_is_sent_and_its_answer_read(open_page: Callable[..., Page], desk: RunningDesk, name: str):
    manner = MANNERS[name]
    page = open_page(**manner.options)
    if manner.large:
        in_letters_twice_as_large(page)
    person, applicant = living(desk.client, manner.place), Applicant(desk.client, place=manner.place)

    page.goto(f"/?lang={manner.language}")
    if manner.large:
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 2 * 16
    in_language(page, manner.language)
    fits(page)
    page.locator("main a[href^='/send']").click()
    send = SendPage(page).loaded()
    fill(page, person)
    expect(page.locator("#identity[data-state=matched]")).to_be_visible()
    fits(page)
    send.read_code()
    send.submit.click()
    code = send.received_code()
    expect(page.locator("#success_title")).to_be_focused()
    in_language(page, manner.language)
    fits(page)

    Expert(desk.client).receives(code)
    Expert(desk.client).answer(code, ANSWER)
    applicant.sees(code, "answered")
    page.locator("nav a[href^='/track']").click()
    track = TrackPage(page)
    page.locator("#national_id").fill(person["national_id"])
    page.locator("#tracking_code").fill(code)
    track.read_code()
    fits(page)
    track.submit.click()
    expect(page.locator("#answer")).to_have_text(ANSWER)
    page.locator("#answer").evaluate("element => element.remove()")
    in_language(page, manner.language)
    fits(page)


def in_language(page: Page, language: str) -> None:
    """Expect that the page is in that language, and that an English one has no Persian word or digit of its own."""
    expect(page.locator("html")).to_have_attribute("lang", language)
    if language == "en":
        page.locator(".written").evaluate_all("texts => texts.forEach(text => text.replaceChildren())")
        seen = page.locator("main").inner_text()
        assert re.findall(r"[\u0600-\u06ff]+", seen) == []


def fill(page: Page, person: Mapping[str, object]) -> None:
    """Fill the form by its ids, which are the same in every language."""
    year, month, day = day_of(person)
    page.locator("#birth_day").fill(to_persian(day))
    page.locator("#birth_month").select_option(month)
    page.locator("#birth_year").fill(year)
    page.locator("#national_id").fill(str(person["national_id"]))
    SendPage(page).choose_province("isfahan")
    page.locator("#mobile").fill(MOBILE)
    page.locator("#subject").select_option("umrah")
    page.locator("#sub_subject").select_option("umrah_visa")
    page.locator("#text").fill(TEXT)


def test_a_request_is_tracked_and_taken_back_by_keyboard_alone(page: Page, desk: RunningDesk):
    applicant, keys = Applicant(desk.client, place=49), Keyboard(page)
    code = applicant.submit(province="kerman")
    applicant.sees(code, "received")

    page.goto("/")
    keys.tab_to("main a[href^='/track']")
    keys.press("Enter")
    expect(page.locator("#captcha[data-state=ready]")).to_be_visible()
    keys.type("#national_id", to_persian(applicant.national_id))
    keys.type("#tracking_code", to_persian(code))
    keys.type("#captcha_answer", CAPTCHA_ANSWER)
    keys.press("Enter")
    expect(page.locator("#result_title")).to_be_focused()

    keys.tab_to("#move_withdraw summary")
    if page.locator("#move_withdraw").get_attribute("open") is None:
        keys.press("Enter")
    keys.tab_to("#withdraw_submit")
    keys.press("Enter")
    expect(page.locator("#confirm")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    expect(page.locator("#withdraw_submit")).to_be_focused()
    keys.press("Enter")
    keys.tab_to("#confirm_yes")
    keys.press("Enter")
    expect(page.locator("#result_notice[data-state=withdrawn]")).to_be_visible()
