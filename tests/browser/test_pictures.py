"""Every page and state, wide and at 320 px: nothing runs out of the screen, and of each there is a picture to look at.

The pictures lie in ``tests/pictures/``, which git ignores.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from applicant import Applicant, Expert
from browser.pages import FILES, SendPage, TrackPage, living
from desk_process import RunningDesk
from playwright.sync_api import Page, expect

PICTURES = Path(__file__).parents[1] / "pictures"
WIDTHS = {"wide": 1280, "320": 320}
LONG_NAME = "گواهی‌نامهٔ-بسیار-بلند-" * 5 + "پایان.pdf"


class Camera:
    """Takes a picture of the page as it stands, at both widths."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def take(self, name: str, *, whole: bool = True) -> None:
        """Expect that nothing lies beside the screen. ``whole``: the page to its end, not just what is seen."""
        for label, width in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": 900 if label == "wide" else 640})
            beside = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            self.page.screenshot(path=PICTURES / f"{name}-{label}.png", full_page=whole)
            assert beside == 0, f"{name} at {width} px"


@pytest.fixture
def camera(page: Page) -> Camera:
    PICTURES.mkdir(exist_ok=True)
    return Camera(page)


def test_the_standing_pages_fit(camera: Camera):
    for name, path in (("home", "/"), ("help", "/help"), ("404", "/no-such-page")):
        camera.page.goto(path)
        camera.take(name)
    camera.page.goto("/help")
    camera.page.locator("summary").evaluate_all("all => all.forEach(each => each.click())")
    camera.take("help-open")


def test_sending_fits_in_every_state(camera: Camera, desk: RunningDesk):
    page, send, person = camera.page, SendPage(camera.page), living(desk.client, 30)
    send.open()
    camera.take("send-empty")
    page.get_by_role("button", name="تقویم").click()
    camera.take("send-calendar", whole=False)
    page.keyboard.press("Escape")
    send.press_although_off()
    camera.take("send-errors")

    send.type_birth_date(living(desk.client, 31))
    send.type_national_id(person["national_id"])
    expect(page.locator("#identity[data-state=refused]")).to_be_visible()
    camera.take("send-wrong-identity")

    send.type_birth_date(person)
    send.has_read(person)
    send.fill_rest()
    page.get_by_role("group", name="تلفن ثابت").get_by_label("شماره").fill("۳۲۲۲۳۳۴۴")
    page.get_by_label("ایمیل").fill("applicant@example.com")
    send.choose_files(
        [
            *FILES,
            {"name": LONG_NAME, "mimeType": "application/pdf", "buffer": FILES[0]["buffer"]},
            {"name": "دروغ.png", "mimeType": "image/png", "buffer": b"no picture"},
        ]
    )
    expect(send.file("دروغ.png")).to_have_attribute("data-state", "refused")
    camera.take("send-file-refused")
    send.file("دروغ.png").get_by_role("button", name="حذف").click()
    send.read_code()
    camera.take("send-filled")

    send.submit.click()
    send.received_code()
    camera.take("send-success")
    page.emulate_media(media="print")
    page.pdf(path=PICTURES / "receipt.pdf", prefer_css_page_size=True)


def test_tracking_fits_in_every_state(camera: Camera, desk: RunningDesk):
    page, track = camera.page, TrackPage(camera.page)
    applicant, expert = Applicant(desk.client, place=32), Expert(desk.client, "gilan")
    code = applicant.submit(province="gilan")
    expert.receives(code)

    track.open()
    camera.take("track-empty")
    track.submit.click()
    camera.take("track-errors")
    track.ask(applicant.national_id, code)
    expect(page.locator("#result")).to_be_visible()
    camera.take("track-waiting")

    expert.answer(code, "روادید شما صادر شده است. برای دریافت آن به دفتر خود مراجعه کنید.\n\nبا آرزوی سفری خوش")
    applicant.sees(code, "answered")
    track.open().ask(applicant.national_id, code)
    expect(page.locator("#answer_section")).to_be_visible()
    camera.take("track-answered")


def test_the_demonstration_fits(camera: Camera, desk: RunningDesk):
    page = camera.page
    Expert(desk.client, "alborz").receives(Applicant(desk.client, place=33).submit(province="alborz"))
    for name, path in (("demo-people", "/demo/people"), ("demo-messages", "/demo/messages")):
        page.goto(path)
        camera.take(name, whole=name != "demo-people")


def test_without_script_the_pages_fit(open_page: Callable[..., Page]):
    PICTURES.mkdir(exist_ok=True)
    page = open_page(java_script_enabled=False)
    for path in ("/send", "/track"):
        page.goto(path)
        Camera(page).take(f"no-script{path.replace('/', '-')}")
