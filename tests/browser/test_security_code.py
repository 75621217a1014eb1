"""The security code, as a picture or spoken, by mouse and by keyboard."""

import pytest
from browser.camera import Camera
from browser.pages import Form, SendPage, TrackPage
from playwright.sync_api import Page, expect
from support.applicant import Applicant
from support.embedded_desk import RunningDesk

PLAYS = """HTMLMediaElement.prototype.play = async () => {
  document.documentElement.dataset.played = Number(document.documentElement.dataset.played ?? 0) + 1;
};"""


def has_played(page: Page, times: int) -> None:
    """Wait until the page has played ``times`` sounds."""
    expect(page.locator("html")).to_have_attribute("data-played", str(times))


def play_code(form: Form) -> None:
    """Request the spoken code and wait until it plays."""
    form.page.get_by_role("button", name="کد صوتی", exact=True).click()
    expect(form.page.get_by_role("button", name="پخش کد صوتی")).to_be_visible()
    has_played(form.page, 1)


@pytest.fixture
def page(page: Page) -> Page:
    """The page of one applicant. It counts plays, because test machines have no loudspeaker."""
    page.add_init_script(PLAYS)
    return page


@pytest.mark.parametrize("form", [SendPage, TrackPage], ids=["send", "track"])
def test_a_code_can_be_played_instead_of_shown(page: Page, form: type[Form]):
    opened = form(page).open()
    play_code(opened)

    expect(page.locator("#captcha_image")).to_be_hidden()
    page.get_by_role("button", name="پخش کد صوتی").click()
    has_played(page, 2)
    page.get_by_role("button", name="کد تازه").click()
    has_played(page, 3)
    page.get_by_role("button", name="کد تصویری").click()
    expect(page.get_by_role("img", name="تصویر کد امنیتی پنج‌رقمی")).to_be_visible()
    expect(page.get_by_role("button", name="پخش کد صوتی")).to_be_hidden()
    expect(opened.code).to_be_focused()


def test_a_spoken_code_is_answered_like_a_picture(page: Page, desk: RunningDesk):
    applicant = Applicant(desk.client, place=34)
    code = applicant.submit()
    track = TrackPage(page).open()
    play_code(track)

    track.ask(applicant.national_id, code)

    expect(page.locator("#result")).to_be_visible()


def test_the_spoken_code_is_reachable_by_keyboard(page: Page):
    track = TrackPage(page).open()
    page.get_by_role("button", name="کد تازه").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="کد صوتی", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    play = page.get_by_role("button", name="پخش کد صوتی")
    expect(play).to_be_visible()
    has_played(page, 1)

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(play).to_be_focused()
    page.keyboard.press("Space")

    has_played(page, 2)
    expect(track.code).to_have_value("")


def test_a_browser_that_cannot_play_says_what_to_do(page: Page):
    page.add_init_script("HTMLMediaElement.prototype.play = () => Promise.reject(new Error('not allowed'));")
    TrackPage(page).open()

    page.get_by_role("button", name="کد صوتی", exact=True).click()

    expect(page.locator("#captcha_status")).to_contain_text("دکمهٔ «پخش کد صوتی» را بزنید")


def test_a_real_browser_can_play_the_sound(open_page, desk: RunningDesk):
    page = open_page()
    TrackPage(page).open()

    seconds = page.evaluate(
        """async () => {
          const { fetchSound, newCaptcha } = await import("/assets/js/api.js");
          const { sound } = await newCaptcha("track", "sound");
          const audio = new Audio(URL.createObjectURL(await fetchSound(sound)));
          await new Promise((done, fail) => {
            audio.oncanplaythrough = done;
            audio.onerror = () => fail(audio.error);
          });
          return audio.duration;
        }"""
    )

    assert 3 < seconds < 9


def test_a_spoken_code_fits(page: Page):
    track = TrackPage(page).open()
    play_code(track)
    Camera(page).take("code-spoken")
