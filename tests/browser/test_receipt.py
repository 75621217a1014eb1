"""The signed receipt in a browser: shown, printed, saved, and verified without the desk."""

import io
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest
import zxingcpp
from browser.pages import FILES, TEXT, SendPage, living
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader
from support.applicant import PDF, PNG, Applicant
from support.embedded_desk import RunningDesk, wait_for

from desk.iran.digits import to_persian

GENUINE, FORGED = "این رسید درست است", "این رسید درست نیست"


class Given(NamedTuple):
    """A receipt from the API: the code and the token."""

    code: str
    token: str


@pytest.fixture
def given(desk: RunningDesk) -> Given:
    """Submit a request with two files."""
    applicant = Applicant(desk.client, place=6)
    applicant.identify()
    files = [applicant.upload("گذرنامه.pdf", PDF), applicant.upload("عکس.png", PNG)]
    answer = applicant.send(applicant.form(text=TEXT, attachments=files)).json()
    return Given(answer["tracking_code"], answer["receipt"]["token"])


def read_from_screen(qr: Locator) -> str:
    """Decode a QR code from a screenshot."""
    qr.evaluate("image => image.decode()")
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(qr.screenshot())))
    assert found is not None, "the QR code cannot be read"
    return str(found.text)


def test_a_receipt_is_shown_saved_and_checked_by_its_file(page: Page, desk: RunningDesk, tmp_path: Path):
    send = SendPage(page).open()
    send.identify(living(desk.client, 7))
    send.fill_rest()
    send.choose_files()
    send.files_are_uploaded()
    send.read_code()
    send.submit.click()
    code = send.received_code()
    qr = page.get_by_role("img", name="کد QR رسید")
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 700})
        assert re.fullmatch(r"http://.+/verify#[\w.-]+", read_from_screen(qr)), f"at {width} px"
    with page.expect_download() as saving:
        page.get_by_role("button", name="ذخیرهٔ رسید").click()
    assert saving.value.suggested_filename == f"receipt-{code}.html"
    saved = tmp_path / "receipt.html"
    saving.value.save_as(saved)

    page.get_by_role("link", name="بررسی این رسید").click()
    expect(page.locator("#verdict_title")).to_have_text(GENUINE)
    page.goto("/verify")
    page.locator("#receipt_file").set_input_files(saved)
    expect(page.locator("#verdict_title")).to_have_text(GENUINE)
    expect(page.locator("#verdict_title")).to_be_focused()
    expect(page.locator("#says_code")).to_have_text(to_persian(f"{code[:4]} {code[4:8]} {code[8:]}"))
    expect(page.locator("#says_files")).to_have_text("۲ فایل")


def test_the_saved_receipt_is_a_complete_page(
    open_page: Callable[..., Page], desk: RunningDesk, chromium, tmp_path: Path
):
    page = open_page()
    send = SendPage(page).open()
    send.identify(living(desk.client, 8))
    send.fill_rest()
    send.read_code()
    send.submit.click()
    code = send.received_code()
    with page.expect_download() as saving:
        page.get_by_role("button", name="ذخیرهٔ رسید").click()
    saving.value.save_as(tmp_path / "receipt.html")

    with chromium.new_context(offline=True, java_script_enabled=False) as context:
        alone = context.new_page()
        alone.goto((tmp_path / "receipt.html").as_uri())
        expect(alone.get_by_role("heading", name="رسید ثبت درخواست")).to_be_visible()
        expect(alone.get_by_text(to_persian(f"{code[:4]} {code[4:8]} {code[8:]}"))).to_be_visible()
        for label in ("زمان ثبت", "زمان پاسخ", "استان", "موضوع اصلی", "موضوع فرعی"):
            expect(alone.get_by_text(label, exact=True)).to_be_visible()
        expect(alone.get_by_role("img", name="کد QR رسید")).to_be_visible()
        expect(alone.get_by_text(re.compile(r"^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{86}$"))).to_be_visible()
    assert "<script" not in (tmp_path / "receipt.html").read_text()


def test_the_address_in_the_qr_is_verified_and_sent_to_no_server(page: Page, watch, given: Given):
    page.goto(f"/verify#{given.token}")

    expect(page.locator("#verdict_title")).to_have_text(GENUINE)
    expect(page.get_by_text("چه چیزی را ثابت نمی‌کند؟")).to_be_visible()
    assert watch.sent("GET", "/api/receipt-keys") == 1
    # The browser drops the fragment, and no other part of the page may send its content.
    payload = given.token.split(".")[1]
    assert not any(
        payload in each.url.partition("#")[0] or payload in (each.post_data or "") for each in watch.requests
    )


def test_a_changed_receipt_is_not_genuine(page: Page, given: Given):
    header, payload, signature = given.token.split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["t"] -= 86_400
    changed = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()

    page.goto(f"/verify#{header}.{changed}.{signature}")
    expect(page.locator("#verdict_title")).to_have_text(FORGED)
    expect(page.locator("#genuine")).to_be_hidden()

    page.get_by_label("متن رسید").fill(given.token)
    page.get_by_role("button", name="بررسی").click()
    expect(page.locator("#verdict_title")).to_have_text(GENUINE)

    page.get_by_label("متن رسید").fill("123456789012")
    page.get_by_role("button", name="بررسی").click()
    expect(page.locator("#verdict_title")).to_have_text("این رسید خوانا نیست")
    expect(page.locator("#genuine")).to_be_hidden()


def test_an_open_page_verifies_and_compares_without_a_network(page: Page, given: Given):
    page.goto("/verify")
    expect(page.locator("#keys_status")).to_contain_text("گرفته شد")
    page.context.set_offline(True)

    page.get_by_label("متن رسید").fill("\n".join(re.findall(".{1,60}", given.token)))
    page.get_by_role("button", name="بررسی").click()
    expect(page.locator("#verdict_title")).to_have_text(GENUINE)

    page.get_by_label("متن درخواست").fill(f"  {TEXT}\n")
    expect(page.locator("#text_match")).to_have_attribute("data-state", "same")
    page.get_by_label("متن درخواست").fill(f"{TEXT}!")
    expect(page.locator("#text_match")).to_have_attribute("data-state", "other")

    strange = {"name": "دیگری.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 another"}
    page.locator("#originals").set_input_files([FILES[1], strange])
    expect(page.locator("#file_matches li")).to_contain_text(["همان فایل ثبت‌شده است", "در رسید نیست"])
    expect(page.locator("#files_missing")).to_contain_text("۱ فایل دیگر")
    page.locator("#originals").set_input_files(list(FILES))
    expect(page.locator("#files_missing")).to_have_text("همهٔ فایل‌های رسید همین‌هاست.")


def test_without_keys_there_is_no_verdict(page: Page, given: Given):
    page.route("**/api/receipt-keys", lambda route: route.fulfill(status=404, json={}))
    page.goto(f"/verify#{given.token}")
    expect(page.locator("#verdict_title")).to_have_text("رسید بررسی نشد")
    expect(page.locator("#keys_status")).to_contain_text("گرفته نشد")

    page.unroute("**/api/receipt-keys")
    page.get_by_role("button", name="بررسی").click()
    expect(page.locator("#verdict_title")).to_have_text(GENUINE)


def test_a_browser_without_ed25519_uses_the_npm_module_or_says_that_it_cannot(page: Page, given: Given):
    page.add_init_script(
        """const real = crypto.subtle.importKey;
        crypto.subtle.importKey = function (format, key, algorithm, ...more) {
          if (algorithm.name === "Ed25519") return Promise.reject(new DOMException("", "NotSupportedError"));
          return real.call(this, format, key, algorithm, ...more);
        };"""
    )
    there = page.request.get("/assets/npm/noble-ed25519.js").ok
    page.goto(f"/verify#{given.token}")
    expect(page.locator("#verdict_title")).to_have_text(GENUINE if there else "این مرورگر نمی‌تواند رسید را بررسی کند")

    page.route("**/assets/npm/noble-ed25519.js", lambda route: route.fulfill(status=404))
    page.reload()
    expect(page.locator("#verdict_title")).to_have_text("این مرورگر نمی‌تواند رسید را بررسی کند")


def test_the_receipt_is_one_printed_page_with_its_code_and_qr(page: Page, desk: RunningDesk):
    send = SendPage(page).open()
    send.identify(living(desk.client, 9))
    send.fill_rest()
    send.choose_files()
    send.files_are_uploaded()
    send.read_code()
    send.submit.click()
    code = send.received_code()

    page.emulate_media(media="print")
    qr = page.get_by_role("img", name="کد QR رسید")
    size = qr.bounding_box()
    assert size is not None
    assert round(size["width"] / 96 * 25.4) == round(size["height"] / 96 * 25.4) == 40
    drawn = unquote(str(qr.get_attribute("src")))
    modules = re.search(r'viewBox="0 0 (\d+) \1"', drawn)
    assert modules is not None
    assert 40 / int(modules[1]) > 0.38, "too fine for an old phone"
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert len(sheets) == 1
    printed, shown = re.sub(r"\s", "", sheets[0].extract_text()), to_persian(code)
    groups = [shown[place : place + 4] for place in (0, 4, 8)]
    turned = [group[::-1] for group in groups]
    # pypdf returns the digits of a group, and the groups, in either direction.
    assert any("".join(each) in printed for each in (groups, groups[::-1], turned, turned[::-1]))


def test_the_english_page_shows_the_receipt_in_english(page: Page, desk: RunningDesk):
    page.goto("/send?lang=en")
    with page.expect_request("**/api/requests") as sending:
        SendPageInEnglish(page).send(living(desk.client, 10))
    assert json.loads(sending.value.post_data or "")["language"] == "en"
    code = page.locator("#tracking_code").get_attribute("data-code")

    messages = wait_for(lambda: desk.client.get("/demo/messages", params={"tracking_code": code}).json())
    assert [message["text"].isascii() for message in messages if message["channel"] == "sms"] == [True]


class SendPageInEnglish(SendPage):
    """The same page found by ids, which do not depend on the language."""

    def send(self, person) -> None:
        self.loaded()
        year, month, day = (str(int(part)) for part in person["birth_date"].split("-"))
        for field, value in (("birth_day", day), ("birth_year", year)):
            self.page.locator(f"#{field}").fill(value)
        self.page.locator("#birth_month").select_option(month)
        self.page.locator("#national_id").fill(person["national_id"])
        self.page.locator("#national_id").blur()
        expect(self.page.locator("#first_name")).to_have_value(person["first_name"])
        self.choose_province("isfahan")
        self.page.locator("#mobile").fill("09120000000")
        self.page.locator("#subject").select_option("umrah")
        self.page.locator("#sub_subject").select_option("umrah_visa")
        self.page.locator("#text").fill(TEXT)
        self.read_code()
        self.submit.click()
        expect(self.page.locator("#success .notice-success")).to_be_visible()
