"""The experts' console in a browser without scripts: every page wide and at 320 px, and the way in with a code."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from browser.camera import PICTURES, Camera
from browser.pages import FILES, ConsolePage
from browser.test_pictures import LONG_NAME
from playwright.sync_api import Browser, Page, expect
from support.applicant import PDF, Applicant, Expert
from support.embedded_desk import RunningDesk, answers, free_port, wait_for

from desk.console.encryption import new_key
from desk.iran.digits import to_persian

QUESTION, ANSWER = "شمارهٔ گذرنامهٔ خود را بنویسید.", "روادید شما صادر شده است. برای دریافت آن به دفتر خود مراجعه کنید."


@pytest.fixture
def camera(open_page: Callable[..., Page]) -> Camera:
    """An expert's browser with scripts switched off: nothing here may need them."""
    return Camera(open_page(java_script_enabled=False), scripts=False)


def submitted(desk: RunningDesk, place: int, province: str, *, file: bool = False, **changed: object) -> str:
    """Send a request, and wait until the province has it."""
    applicant = Applicant(desk.client, place=place)
    applicant.identify()
    attachments = [applicant.upload(LONG_NAME, PDF)] if file else []
    code = applicant.submit(province=province, attachments=attachments, **changed)
    Expert(desk.client, province).receives(code)
    return code


def test_every_page_fits_and_says_what_is_wrong(camera: Camera, desk: RunningDesk):
    page = camera.page
    first = submitted(desk, 10, "golestan", file=True)
    others = [submitted(desk, place, "golestan") for place in (11, 12)]

    page.goto("/demo/expert")
    camera.take("console-sign-in")
    page.get_by_label("گذرواژه").fill("نادرست")
    page.get_by_role("button", name="ورود").click()
    expect(page.get_by_role("alert")).to_contain_text("درست نیست")
    camera.take("console-sign-in-wrong")

    console = ConsolePage(page).sign_in("golestan")
    camera.take("console-cases")
    console.open_case(first)
    camera.take("console-case")
    console.take()
    page.get_by_text("ارجاع به ادارهٔ دیگر یا موضوع دیگر").click()
    camera.take("console-case-taken")
    page.get_by_label("دلیل ارجاع").fill("متقاضی در این استان نیست.")
    page.get_by_role("button", name="ارجاع", exact=True).click()
    expect(page.locator("#to_province_error")).to_be_visible()
    expect(page.get_by_label("دلیل ارجاع")).to_have_value("متقاضی در این استان نیست.")
    camera.take("console-case-error")

    page.get_by_text("پرسش از متقاضی").click()
    page.get_by_label("پرسش شما").fill(QUESTION)
    page.get_by_role("button", name="فرستادن پرسش").click()
    expect(page.locator("#done")).to_be_visible()
    page.get_by_role("button", name="برداشتن درخواست").click()
    page.get_by_label("فایل‌ها").set_input_files([FILES[0]])
    console.answer(ANSWER)
    camera.take("console-case-answered")

    page.goto("/demo/expert/cases")
    for code in others:
        page.locator(f"#c{code}").check()
    page.get_by_role("button", name="پاسخ گروهی").click()
    expect(page.get_by_role("button", name="ارسال پاسخ به همه")).to_be_visible()
    camera.take("console-many")
    page.get_by_label("پاسخ شما").fill(ANSWER)
    page.get_by_role("button", name="ارسال پاسخ به همه").click()
    expect(page.locator("#answered_many")).to_contain_text(to_persian("2"))
    camera.take("console-many-done")

    page.goto("/demo/expert/cases?q=ناموجود")
    camera.take("console-cases-none")
    page.goto("/demo/expert/accounts")
    expect(page.get_by_role("alert")).to_contain_text("سرپرست")
    camera.take("console-not-allowed")


def test_a_supervisor_s_pages_fit(camera: Camera, desk: RunningDesk):
    page = camera.page
    code = submitted(desk, 13, "lorestan")
    console = ConsolePage(page).sign_in("lorestan.supervisor")
    page.get_by_role("link", name="متن‌های آماده").click()
    page.get_by_label("عنوان").fill("روادید صادر شده است")
    page.get_by_label("متن", exact=True).fill(ANSWER)
    page.get_by_role("button", name="ثبت").click()
    expect(page.get_by_role("heading", name="روادید صادر شده است")).to_be_visible()
    camera.take("console-templates")

    page.get_by_role("link", name="درخواست‌ها", exact=True).click()
    console.open_case(code)
    console.take()
    page.get_by_role("button", name="گذاشتن در پاسخ").click()
    expect(page.get_by_label("پاسخ شما")).to_have_value(ANSWER)
    camera.take("console-case-template")

    page.get_by_role("link", name="حساب‌ها").click()
    page.get_by_label("نام و نام خانوادگی").fill("کارشناس تازه")
    page.get_by_label("نام کاربری").fill("new.expert")
    page.get_by_role("button", name="ساختن حساب").click()
    expect(page.locator("#given code")).to_be_visible()
    camera.take("console-accounts")
    page.get_by_role("link", name="سابقهٔ کارها").click()
    page.wait_for_url("**/deeds*")
    camera.take("console-deeds")
    page.get_by_role("link", name="نمای کلی").click()
    expect(page.locator("#figure_open")).to_have_text(to_persian("1"))
    camera.take("console-dashboard")

    page.get_by_role("button", name="خروج").click()
    colleague = ConsolePage(page).sign_in("lorestan")
    colleague.open_case(code)
    expect(page.locator("#held")).to_contain_text("سامان نمونه")
    camera.take("console-case-held")


@pytest.fixture
def own_console(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A console as a province runs it, with its first supervisor; gives its address and the first password."""
    environment = os.environ | {
        "DESK_CONSOLE_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'console.sqlite3'}",
        "DESK_CONSOLE_KEYS": new_key(),
        "DESK_CONSOLE_SECURE_COOKIES": "false",
    }

    command = [sys.executable, "-m", "desk.console.main"]
    subprocess.run([*command, "migrate"], env=environment, check=True)  # noqa: S603 - our own command
    creating = [*command, "create-account", "n.baran", "--province", "yazd", "--name", "نرگس باران‌دشت"]
    created = subprocess.run(creating, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    port = free_port()
    with subprocess.Popen([*command, "serve", "--port", str(port)], env=environment) as served:  # noqa: S603
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: answers(f"{url}/health/ready"), 60)
            yield url, created.stdout.split()[-1]
        finally:
            served.terminate()


def test_the_first_supervisor_comes_in_with_a_password_and_a_device_of_her_own(
    chromium: Browser, own_console: tuple[str, str], camera: Camera
):
    url, first_password = own_console
    context = chromium.new_context(base_url=url, locale="fa-IR", java_script_enabled=False)
    page = context.new_page()
    own = "یک جملهٔ کوتاه تازه"
    page.goto("/")
    page.get_by_label("نام کاربری").fill("n.baran")
    page.get_by_label("گذرواژه").fill(first_password)
    page.get_by_role("button", name="ورود").click()
    page.get_by_label("گذرواژهٔ کنونی").fill(first_password)
    page.get_by_label("گذرواژهٔ تازه", exact=True).fill(own)
    page.get_by_label("یک بار دیگر").fill(own)
    page.get_by_role("button", name="ثبت گذرواژه").click()

    expect(page.get_by_role("heading", name="رمزساز")).to_be_visible()
    for label, width in (("wide", 1280), ("320", 320)):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=PICTURES / f"console-enrol-{label}.png", full_page=True)
    drawing = page.locator(".qr svg").bounding_box()
    assert abs(drawing["width"] - drawing["height"]) < 1
    assert drawing["width"] < 320
    device = pyotp.TOTP(page.locator(".secret").inner_text())
    page.get_by_label("کدی که برنامه نشان می‌دهد").fill(to_persian(device.now()))
    page.get_by_role("button", name="تأیید").click()
    recovery = page.locator(".recovery-codes code").all_inner_texts()
    assert len(set(recovery)) == 8
    page.screenshot(path=PICTURES / "console-recovery-wide.png", full_page=True)
    page.get_by_role("link", name="ادامه").click()
    expect(page.get_by_role("heading", name="درخواست‌ها")).to_be_visible()

    page.get_by_role("button", name="خروج").click()
    page.get_by_label("نام کاربری").fill("n.baran")
    page.get_by_label("گذرواژه").fill(own)
    page.get_by_role("button", name="ورود").click()
    page.get_by_label("کد ورود").fill(recovery[0])
    page.screenshot(path=PICTURES / "console-code-wide.png", full_page=True)
    page.get_by_role("button", name="ادامه").click()
    expect(page.get_by_role("heading", name="درخواست‌ها")).to_be_visible()
    context.close()
