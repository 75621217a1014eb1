"""Mistakes: each is shown next to its field, loses no input, and can be corrected."""

import re
from pathlib import Path

import pytest
from browser.pages import FILES, SendPage, TrackPage, living
from browser.watch import Watch
from playwright.sync_api import Page, expect
from stdnum import damm
from support.applicant import PDF, PNG, Applicant
from support.embedded_desk import RunningDesk

SEVEN_MEGABYTES = 7 * 1024 * 1024
FOLDER = Path(__file__).parents[2] / "services" / "intake" / "tests" / "files"


def test_a_wrong_identity_is_shown_and_nothing_can_be_sent(page: Page, watch: Watch, desk: RunningDesk):
    person, other = living(desk.client, 10), living(desk.client, 11)
    send = SendPage(page).open()
    send.type_birth_date(other)
    send.type_national_id(person["national_id"])
    send.fill_rest()
    send.read_code()

    expect(page.locator("#identity_status")).to_have_text(
        "تاریخ تولد و کد ملی با هم نمی‌خوانند. هر دو را بررسی و اصلاح کنید."
    )
    for label in ("نام", "نام خانوادگی", "جنسیت"):
        expect(page.get_by_label(label, exact=True)).to_have_value("")
        expect(page.get_by_label(label, exact=True)).not_to_be_editable()
    expect(send.submit).to_be_disabled()
    send.press_although_off()
    expect(send.summary).to_be_focused()
    assert watch.sent("POST", "/api/requests") == 0

    send.type_birth_date(person)
    send.has_read(person)
    expect(send.submit).to_be_enabled()


def test_a_wrong_security_code_loses_no_text_and_no_upload(page: Page, watch: Watch, desk: RunningDesk):
    send = SendPage(page).open()
    send.identify(living(desk.client, 12))
    send.fill_rest()
    send.choose_files()
    send.files_are_uploaded()
    before = send.typed()
    send.read_code("99999")
    send.submit.click()

    expect(send.summary).to_be_focused()
    expect(page.locator("#captcha_error")).to_be_visible()
    expect(send.code).to_have_value("")
    assert send.typed() == before
    send.files_are_uploaded()

    send.read_code()
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("۲ فایل")
    assert watch.sent("POST", "/api/attachments") == len(FILES)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (("فیلم.png", PNG + bytes(SEVEN_MEGABYTES)), "این فایل بزرگ‌تر از ۷ مگابایت است."),
        (("دروغ.png", b"This is no picture at all.\n" * 40), "این نوع فایل پذیرفته نمی‌شود."),
        (("بریده.jpg", (FOLDER / "cut.jpg").read_bytes()), "این فایل خراب یا ناقص است"),
        (("قفل.pdf", (FOLDER / "password.pdf").read_bytes()), "این فایل رمز دارد"),
        (("برنامه.exe", b"MZ"), "این نوع فایل پذیرفته نمی‌شود."),
        (("خالی.pdf", b""), "این فایل خالی است."),
    ],
    ids=["too large", "lying", "damaged", "encrypted", "forbidden", "empty"],
)
def test_a_file_that_is_refused_says_why_and_can_be_removed(
    page: Page, desk: RunningDesk, tmp_path: Path, wrong: tuple[str, bytes], reason: str
):
    name, content = wrong
    (tmp_path / name).write_bytes(content)
    (tmp_path / "گذرنامه.pdf").write_bytes(PDF)
    send = SendPage(page).open()
    send.identify(living(desk.client, 13))
    send.choose_files([tmp_path / "گذرنامه.pdf", tmp_path / name])
    refused = send.file(name)
    expect(refused).to_have_attribute("data-state", "refused")
    expect(refused).to_contain_text(reason)
    send.files_are_uploaded(1)

    send.press_although_off()
    expect(send.summary.get_by_role("link", name="بعضی از فایل‌ها فرستاده نشده‌اند")).to_be_visible()
    refused.get_by_role("button", name="حذف").click()
    expect(refused).to_have_count(0)
    send.files_are_uploaded(1)
    expect(page.locator("#attachments_error")).to_be_hidden()
    expect(send.file("گذرنامه.pdf").get_by_role("button", name="حذف")).to_be_focused()


def test_the_error_summary_links_to_every_field(page: Page, desk: RunningDesk):
    send = SendPage(page).open()
    page.get_by_label("تلفن همراه").fill("0912")
    page.get_by_label("ایمیل").fill("name@")
    send.press_although_off()
    expect(send.summary).to_be_focused()
    expect(page).to_have_title("خطا: ارسال درخواست | میز خدمت الکترونیک حج و زیارت")
    links = send.summary.get_by_role("link")
    fields = (
        "birth_day",
        "national_id",
        "province_search",
        "email",
        "mobile",
        "subject",
        "sub_subject",
        "text",
        "captcha_answer",
    )
    expect(links).to_have_count(len(fields))
    for place, field in enumerate(fields):
        link, control = links.nth(place), page.locator(f"#{field}")
        link.click()
        expect(control).to_be_focused()
        expect(control).to_be_in_viewport()
        expect(control).to_have_attribute("aria-invalid", "true")
        expect(control).to_have_accessible_description(re.compile(re.escape(link.inner_text())))


def test_a_double_click_sends_once(page: Page, watch: Watch, desk: RunningDesk):
    send = SendPage(page).open()
    send.identify(living(desk.client, 14))
    send.fill_rest()
    send.read_code()
    send.submit.dblclick()
    send.received_code()
    assert watch.sent("POST", "/api/requests") == 1


def test_the_sub_subject_must_be_chosen_again_when_the_subject_changes(page: Page):
    SendPage(page).open()
    subject, sub_subject = page.get_by_label("موضوع اصلی"), page.get_by_label("موضوع فرعی")
    expect(sub_subject.locator("option")).to_have_text(["پس از موضوع اصلی"])
    subject.select_option("umrah")
    sub_subject.select_option("umrah_visa")
    expect(page.locator("#sub_subject_hint")).to_contain_text("مهلت پاسخ")
    subject.select_option("hajj_deposit")
    expect(sub_subject).to_have_value("")
    expect(sub_subject.locator("option[value=umrah_visa]")).to_have_count(0)
    expect(page.locator("#sub_subject_hint")).to_be_hidden()


def test_an_unknown_tracking_code_is_shown_and_can_be_corrected(page: Page, desk: RunningDesk):
    applicant = Applicant(desk.client, place=15)
    code = applicant.submit()
    applicant.sees(code, "received")
    body = str((int(code[:-1]) + 1) % 10**11).zfill(11)
    unknown = body + damm.calc_check_digit(body)

    track = TrackPage(page).open()
    track.ask(applicant.national_id, unknown)
    expect(track.summary).to_be_focused()
    expect(track.summary).to_contain_text("درخواستی با این کد ملی و کد پیگیری پیدا نشد")
    expect(page.get_by_label("کد پیگیری")).not_to_have_value("")

    track.ask(applicant.national_id, code)
    expect(page.get_by_role("heading", name="وضعیت درخواست")).to_be_visible()


def test_an_invalid_tracking_code_is_not_sent(page: Page, watch: Watch, desk: RunningDesk):
    track = TrackPage(page).open()
    track.ask(living(desk.client, 15)["national_id"], "12345678901")
    expect(track.summary.get_by_role("link", name="کد پیگیری ۱۲ رقم است")).to_be_visible()
    assert watch.sent("POST", "/api/tracking") == 0
