"""The story in other settings: smallest screen, large text, dark mode, English, keyboard only."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from browser.camera import check_width
from browser.pages import MOBILE, TEXT, SendPage, TrackPage, day_of, living
from browser.test_keyboard import Keyboard
from playwright.sync_api import Page, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk

from desk.iran.digits import to_persian

ANSWER = "روادید شما صادر شده است."
LARGE_LETTERS = {"standard": 32, "fixed": 26}
"""Chromium's setting «Very large», twice the usual size: what WCAG 1.4.4 means by text at 200 %."""


@dataclass(frozen=True)
class Journey:
    """The settings of one applicant's browser."""

    place: int
    """Index into the living people."""
    options: Mapping[str, object] = field(default_factory=dict)
    large: bool = False
    language: str = "fa"


JOURNEYS = {
    "320 px": Journey(46, {"width": 320, "height": 640, "has_touch": True}),
    "200 % text": Journey(47, {"width": 1280}, large=True),
    "dark": Journey(48, {"width": 768, "color_scheme": "dark"}),
    "English": Journey(50, {"width": 360, "height": 640}, language="en"),
}


def fits(page: Page) -> None:
    """Check that the page needs no horizontal scrolling and that no text is cut off."""
    check_width(page, page.url)
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
    """Set the font size as a user does in the browser's settings."""
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": LARGE_LETTERS})


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_request_is_sent_and_its_answer_read(open_page: Callable[..., Page], desk: RunningDesk, name: str):
    journey = JOURNEYS[name]
    page = open_page(**journey.options)
    if journey.large:
        in_letters_twice_as_large(page)
    person, applicant = living(desk.client, journey.place), Applicant(desk.client, place=journey.place)

    page.goto(f"/?lang={journey.language}")
    if journey.large:
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 2 * 16
    in_language(page, journey.language)
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
    in_language(page, journey.language)
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
    in_language(page, journey.language)
    fits(page)


def in_language(page: Page, language: str) -> None:
    """Check that the page declares that language, and that an English page has Persian only in what people wrote."""
    expect(page.locator("html")).to_have_attribute("lang", language)
    if language == "en":
        seen = page.locator("main").inner_text()
        for written in page.locator("main .written").all_inner_texts():
            seen = seen.replace(written, "")
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


def test_a_request_is_tracked_and_withdrawn_by_keyboard_only(page: Page, desk: RunningDesk):
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

    keys.tab_to("#action_withdraw summary")
    if page.locator("#action_withdraw").get_attribute("open") is None:
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
