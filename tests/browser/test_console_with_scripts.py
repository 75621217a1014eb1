"""The experts' console with scripts: prepared texts at the cursor, the file control in Persian, an objection."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser.camera import Camera
from browser.pages import ConsolePage
from playwright.sync_api import Page, expect
from support.applicant import PDF, Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for

TEMPLATE, OBJECTION = "روادید شما صادر شده است.", "پاسخ به پرسش من نبود. شماره: 021-8888 8888\nPlease call me."


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def submitted(desk: RunningDesk, place: int, province: str) -> tuple[Applicant, str]:
    """Send a request, and wait until the province has it."""
    applicant = Applicant(desk.client, place=place)
    code = applicant.submit(province=province)
    Expert(desk.client, province).receives(code)
    return applicant, code


def test_a_prepared_text_is_inserted_at_the_cursor(page: Page, desk: RunningDesk):
    _, code = submitted(desk, 20, "zanjan")
    console = ConsolePage(page).sign_in("zanjan.supervisor")
    page.get_by_role("link", name="متن‌های آماده").click()
    page.get_by_label("عنوان").fill("روادید")
    page.get_by_label("متن", exact=True).fill(TEMPLATE)
    page.get_by_role("button", name="ثبت").click()
    page.get_by_role("link", name="درخواست‌ها", exact=True).click()
    console.open_case(code)
    console.take()
    box = page.get_by_label("پاسخ شما")
    box.fill("سلام.  با سپاس")
    box.evaluate("box => box.setSelectionRange(6, 6)")
    page.get_by_role("button", name="گذاشتن در پاسخ").click()
    expect(box).to_have_value(f"سلام. {TEMPLATE} با سپاس")


def test_the_file_control_is_in_persian_and_names_what_is_wrong(page: Page, desk: RunningDesk, tmp_path: Path):
    _, code = submitted(desk, 21, "semnan")
    console = ConsolePage(page).sign_in("semnan")
    console.open_case(code)
    console.take()
    good, large, tiff = tmp_path / "گذرنامه.pdf", tmp_path / "large.pdf", tmp_path / "scan.tiff"
    good.write_bytes(PDF)
    large.write_bytes(b"%PDF-" + bytes(7 * 1024 * 1024 + 1))
    tiff.write_bytes(b"II*\x00" + bytes(600))
    chosen, files = page.locator(".chosen-files"), page.get_by_label("فایل‌ها", exact=False).first
    expect(chosen).to_have_text("فایلی انتخاب نشده است")
    camera = Camera(page)
    files.set_input_files([large])
    expect(chosen).to_contain_text("از ۷ مگابایت بزرگ‌تر است")
    files.set_input_files([good])
    expect(chosen).to_have_text("گذرنامه.pdf")
    camera.take("console-case-files")
    files.set_input_files([tiff])
    page.get_by_label("پاسخ شما").fill("در پیوست است.")
    page.get_by_role("button", name="ارسال پاسخ").click()
    expect(page.locator("#files_error")).to_contain_text("«scan.tiff»")
    expect(page.get_by_label("پاسخ شما")).to_have_value("در پیوست است.")
    camera.take("console-case-file-refused")
    page.get_by_label("فایل‌ها", exact=False).first.set_input_files([good])
    console.answer("در پیوست است.")


def test_an_objection_is_for_a_supervisor_and_not_for_the_expert(page: Page, desk: RunningDesk):
    applicant, code = submitted(desk, 22, "bushehr")
    Expert(desk.client, "bushehr").answer(code, "انجام شد.")
    token = applicant.sees(code, "answered")["token"]
    assert applicant.object_to(token, OBJECTION).is_success
    wait_for(lambda: any(each["state"] == "objected" for each in Expert(desk.client, "bushehr").requests()))
    camera = Camera(page)

    console = ConsolePage(page).sign_in("bushehr")
    console.open_case(code)
    expect(page.locator("#obstacle")).to_contain_text("خود شما داده‌اید")
    expect(page.locator("#take")).to_have_count(0)
    camera.take("console-objection-expert")

    page.get_by_role("button", name="خروج").click()
    console = ConsolePage(page).sign_in("bushehr.supervisor")
    page.get_by_role("link", name="برای سرپرست").click()
    expect(page.locator(f"[data-tracking-code='{code}']")).to_be_visible()
    camera.take("console-objections")
    page.locator(f"[data-tracking-code='{code}']").get_by_role("link").click()
    expect(page.locator("#take")).to_be_visible()
    camera.take("console-objection-supervisor")
    console.take()
    page.get_by_role("link", name="بازگشت به فهرست").click()
    page.get_by_role("link", name="برای سرپرست").click()
    expect(page.locator(f"[data-tracking-code='{code}']")).to_be_visible()
    console.open_case(code)
    console.answer("بررسی شد؛ روادید شما صادر شده است.")
    assert applicant.sees(code, "answered")["answer"]["text"].startswith("بررسی شد")
