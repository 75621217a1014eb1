"""Every page and state: pictures at three widths and in dark mode, no horizontal scrolling, axe-core.

States that need more than this file (actions, pending identities, the console) have pictures in their own tests.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.axe import MISSING, SOURCE
from browser.camera import PICTURES, Camera
from browser.pages import FILES, SendPage, TrackPage, living
from playwright.sync_api import Page, Route, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import RunningDesk

from desk.local.gateway_table import load_table

WEB = Path(__file__).parents[2] / "gateway" / "web"
EXAMINED_PARTS = 20
LONG_NAME = "گواهی‌نامهٔ-بسیار-بلند-" * 5 + "پایان.pdf"


@pytest.fixture
def camera(page: Page) -> Camera:
    return Camera(page)


def test_axe_core_is_installed():
    if not SOURCE.exists() and os.environ.get("CI") == "true":
        pytest.fail(MISSING, pytrace=False)
    if not SOURCE.exists():
        pytest.skip(MISSING)


def standing_pages() -> dict[str, str]:
    """Return the path of every page by the name of its picture, including pages added later under gateway/web."""
    pages = {"404": "/no-such-page", "en-404": "/no-such-page?lang=en"}
    pages |= {path.stem: f"/{path.stem}" for path in WEB.glob("*.html")}
    pages |= {path.stem: f"/{path.stem}" for path in (WEB / "fa").glob("*.html")}
    pages |= {f"en-{path.stem}": f"/{path.stem}?lang=en" for path in (WEB / "en").glob("*.html")}
    return {name: path.replace("/index", "/") for name, path in sorted(pages.items())}


@pytest.mark.parametrize("name", standing_pages())
def test_the_standing_pages_fit(camera: Camera, name: str):
    page = camera.page
    page.goto(standing_pages()[name])
    if page.locator("#captcha").count():
        expect(page.locator("#captcha[data-state=ready]")).to_be_visible()
    camera.take(f"page-{name}")
    if page.locator("main summary:visible").count():
        page.locator("main summary").evaluate_all("all => all.forEach(each => each.click())")
        camera.check_widths(f"page-{name}-open")
        # The contract has hundreds of parts of one kind; axe-core needs a minute for all of them.
        page.locator("main details[open]").evaluate_all(
            "(all, most) => all.slice(most).forEach(each => each.open = false)", EXAMINED_PARTS
        )
        camera.take(f"page-{name}-open")


def test_the_error_pages_fit(camera: Camera):
    page, headers = camera.page, {"content-type": "text/html", **load_table().headers}
    for path in sorted(WEB.glob("*/errors/*.html")):
        page.route("**/wrong", lambda route: route.fulfill(path=path, headers=headers))  # noqa: B023 - called before the next iteration
        page.goto("/wrong")
        camera.take(f"wrong-{path.parent.parent.name}-{path.stem}")
        page.unroute("**/wrong")


def test_sending_fits_in_every_state(camera: Camera, desk: RunningDesk):
    page, send, person = camera.page, SendPage(camera.page), living(desk.client, 30)
    send.open()
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
    page.get_by_role("group", name="تلفن ثابت").get_by_label("شماره", exact=True).fill("۳۲۲۲۳۳۴۴")
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
    for name, path in (
        ("demo-people", "/demo/people"),
        ("demo-messages", "/demo/messages"),
        ("demo-kit", "/demo/kit"),
    ):
        page.goto(path)
        camera.take(name, whole=name != "demo-people")


def test_without_scripts_the_pages_fit(open_page: Callable[..., Page]):
    page = open_page(java_script_enabled=False)
    for path in ("/send", "/track"):
        page.goto(path)
        Camera(page, scripts=False).take(f"no-script{path.replace('/', '-')}")


def test_a_page_that_cannot_load_its_lists_fits(camera: Camera):
    page = camera.page
    for path in ("**/api/catalog", "**/api/captchas"):
        page.route(path, lambda route: route.fulfill(status=429, json={}))
    page.goto("/send")
    expect(page.get_by_role("button", name="تلاش دوباره").first).to_be_visible()
    expect(page.locator("#captcha[data-state=failed]")).to_be_visible()
    camera.take("send-nothing-loads")


STATES = {
    "identity_pending": "در انتظار تأیید هویت",
    "registered": "ثبت شد",
    "in_progress": "در حال بررسی",
    "closed": "بسته شد",
    "rejected": "پذیرفته نشد",
    "referred": "به ادارهٔ دیگری فرستاده شد",
    "identity_rejected": "هویت تأیید نشد",
}


def test_tracking_fits_in_the_rarer_states(camera: Camera, desk: RunningDesk):
    page, track, applicant = camera.page, TrackPage(camera.page), Applicant(desk.client, place=44)
    code = applicant.submit(province="gilan")
    applicant.sees(code, "received")

    for state, title in STATES.items():

        def answer(route: Route, *, state: str = state, title: str = title) -> None:
            original = route.fetch()
            seen = original.json() | {"state": state, "state_title": title, "actions": []}
            if state == "in_progress":
                seen["due_at"] = "2020-01-01T00:00:00Z"
            seen["history"].append(seen["history"][-1] | {"state": state, "title": title, "note": LONG_NAME})
            route.fulfill(response=original, body=json.dumps(seen))

        page.route("**/api/tracking", answer)
        track.open().ask(applicant.national_id, code)
        expect(page.locator("#state")).to_have_text(title)
        camera.take(f"track-{state}")
        page.unroute("**/api/tracking")


def test_tracking_without_a_result_fits(camera: Camera, desk: RunningDesk):
    track = TrackPage(camera.page).open()
    track.ask(living(desk.client, 45)["national_id"], "123456789012")
    expect(track.summary).to_be_visible()
    camera.take("track-not-found")
