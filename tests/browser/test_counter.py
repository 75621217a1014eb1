"""The counter of the console: a request registered by keyboard alone and without scripts, and every page pictured."""

from collections.abc import Callable

import pytest
from browser.camera import PICTURES, Camera
from browser.pages import FILES, ConsolePage, TrackPage, living
from browser.test_keyboard import Keyboard
from playwright.sync_api import Page, expect
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk

from desk.iran.digits import to_ascii, to_persian

TEXT = "روادید عمرهٔ من هنوز صادر نشده است؛ تلفن همراه هوشمند ندارم."
SUB_SUBJECT = "umrah_visa"


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """An expert's browser with scripts switched off: nothing here may need them."""
    return open_page(java_script_enabled=False)


def shown_code(page: Page) -> str:
    """Return the tracking code on the receipt."""
    return to_ascii(page.locator("#tracking_code").inner_text()).replace(" ", "").strip()


def test_a_request_is_registered_by_keyboard_alone(page: Page, desk: RunningDesk):
    person, keys = living(desk.client, 100), Keyboard(page)
    ConsolePage(page).sign_in("golestan")
    keys.tab_to("a[href$='/counter']")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="ثبت درخواست به جای متقاضی")).to_be_visible()
    keys.tab_to("#source_counter")
    keys.press("Space")
    keys.type("#national_id", to_persian(person["national_id"]))
    keys.type("#birth_date", to_persian(person["birth_date"].replace("-", "/")))
    keys.press("Enter")

    expect(page.locator("#person")).to_contain_text(person["last_name"])
    keys.tab_to("#mobile_owner_own")
    keys.press("Space")
    keys.type("#mobile", "۰۹۱۲۳۳۳۴۴۵۵")
    keys.type("#landline_number", "۳۲۲۲۱۱۰۰")
    keys.choose("#sub_subject", SUB_SUBJECT)
    keys.type("#text", TEXT)
    keys.tab_to("button[type=submit].button")
    keys.press("Enter")

    expect(page.get_by_role("heading", name="رضایت متقاضی")).to_be_visible()
    keys.type("#code", CAPTCHA_ANSWER)
    keys.press("Enter")
    expect(page.locator("#registered")).to_be_visible()
    expect(page.locator("#receipt_source")).to_contain_text("مراجعهٔ حضوری")
    code = shown_code(page)

    keys.tab_to("a[href$='/cases']")
    keys.press("Enter")
    ConsolePage(page).open_case(code)
    expect(page.locator("#registration")).to_contain_text("مراجعهٔ حضوری")
    expect(page.locator("#registration")).to_contain_text("golestan")
    expect(page.get_by_text("۰۱۷۳۲۲۲۱۱۰۰")).to_be_visible()


def test_every_page_of_the_counter_fits_and_the_receipt_is_one_printed_sheet(
    page: Page, open_page: Callable[..., Page], desk: RunningDesk
):
    person, camera = living(desk.client, 101), Camera(page, scripts=False)
    ConsolePage(page).sign_in("golestan")
    page.get_by_role("link", name="ثبت به جای متقاضی").click()
    page.get_by_label("کد ملی متقاضی").fill("123")
    page.get_by_label("تاریخ تولد").fill("1361")
    page.get_by_role("button", name="استعلام هویت").click()
    expect(page.locator("#error_summary").get_by_role("link")).to_have_count(3)
    camera.take("counter-identity")

    page.get_by_label("تلفن", exact=True).check()
    page.get_by_label("کد ملی متقاضی").fill(person["national_id"])
    page.get_by_label("تاریخ تولد").fill(person["birth_date"])
    page.get_by_role("button", name="استعلام هویت").click()
    page.get_by_label("نام و نام خانوادگی نماینده").fill("سارا بهرامی")
    page.get_by_role("group", name="تلفن ثابت").get_by_label("شماره", exact=True).fill("۱۲۳")
    page.get_by_role("button", name="ادامه").click()
    expect(page.locator("#error_summary").get_by_role("link")).to_have_count(6)
    camera.take("counter-request")

    page.get_by_label("نام و نام خانوادگی نماینده").fill("")
    page.locator("#landline_number").fill("")
    page.get_by_label("همراه یا نمایندهٔ متقاضی").check()
    page.get_by_label("شمارهٔ تلفن همراه").fill("09123334466")
    page.get_by_label("موضوع").select_option(SUB_SUBJECT)
    page.get_by_label("متن درخواست").fill(TEXT)
    page.get_by_label("مدارک متقاضی").set_input_files(FILES[:1])
    page.get_by_role("button", name="ادامه").click()
    page.get_by_label("کد پیامک").fill("11111")
    page.get_by_role("button", name="ثبت درخواست").click()
    expect(page.locator("#error_summary")).to_be_visible()
    camera.take("counter-code")

    page.get_by_label("کد پیامک").fill(CAPTCHA_ANSWER)
    page.get_by_role("button", name="ثبت درخواست").click()
    expect(page.locator("#receipt_source")).to_contain_text("تلفن")
    expect(page.locator(".counter-receipt")).to_contain_text("۱ فایل")
    camera.take("counter-receipt")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    page.screenshot(path=PICTURES / "counter-receipt-print.png", full_page=True)
    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.locator(".signatures")).to_be_visible()
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 1
    page.emulate_media(media="screen")
    code = shown_code(page)

    applicant = open_page()
    TrackPage(applicant).open().ask(person["national_id"], code)
    expect(applicant.locator("#sent_source")).to_have_text("تلفن به اداره")
    Camera(applicant).take("counter-tracked")


def begin_without_mobile(page: Page, person: dict[str, str]) -> None:
    """Sign in, look a person up at the counter, and say that they have no mobile."""
    ConsolePage(page).sign_in("golestan")
    page.goto("/demo/expert/counter")
    page.get_by_label("مراجعهٔ حضوری").check()
    page.get_by_label("کد ملی متقاضی").fill(person["national_id"])
    page.get_by_label("تاریخ تولد").fill(person["birth_date"])
    page.get_by_role("button", name="استعلام هویت").click()
    page.get_by_label("تلفن همراه ندارند").check()


def test_what_was_typed_before_another_sign_in_comes_back_with_the_look_up(page: Page, desk: RunningDesk):
    person = living(desk.client, 103)
    begin_without_mobile(page, person)
    page.get_by_label("متن درخواست").fill(TEXT)
    other = page.context.new_page()
    other.goto("/demo/expert")
    other.get_by_role("button", name="خروج").click()
    ConsolePage(other).sign_in("golestan")

    page.get_by_role("button", name="ادامه").click()
    expect(page.locator("#kept")).to_be_visible()
    expect(page.get_by_label("کد ملی متقاضی")).to_have_value(person["national_id"])
    Camera(page, scripts=False).take("counter-kept")
    page.get_by_role("button", name="استعلام هویت").click()
    expect(page.get_by_label("متن درخواست")).to_have_value(TEXT)
    expect(page.get_by_label("تلفن همراه ندارند")).to_be_checked()


def test_with_scripts_the_receipt_has_a_button_to_print(open_page: Callable[..., Page], desk: RunningDesk):
    page, person = open_page(), living(desk.client, 102)
    begin_without_mobile(page, person)
    page.get_by_label("موضوع").select_option(SUB_SUBJECT)
    page.get_by_label("متن درخواست").fill(TEXT)
    page.get_by_role("button", name="ادامه").click()
    expect(page.get_by_text("این رسید تنها مدرک است")).to_be_visible()
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes'; }")
    page.get_by_role("button", name="چاپ رسید").click()
    expect(page.locator("body[data-printed=yes]")).to_be_visible()
    Camera(page).take("counter-receipt-no-mobile")
