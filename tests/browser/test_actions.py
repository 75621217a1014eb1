"""The actions of an applicant, each after a confirmation, with pictures of every step."""

import pytest
from browser.camera import Camera
from browser.pages import FILES, ConsolePage, TrackPage
from playwright.sync_api import Page, expect
from support.applicant import PDF, Applicant, Expert
from support.embedded_desk import RunningDesk

QUESTION = "شمارهٔ گذرنامهٔ خود را بنویسید.\nاگر گذرنامهٔ تازه دارید، شمارهٔ همان را بنویسید."


@pytest.fixture
def camera(page: Page) -> Camera:
    return Camera(page)


def opened(page: Page, action: str):
    details = page.locator(f"#action_{action}")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    return details


def confirm(page: Page, camera: Camera | None = None, name: str = ""):
    expect(page.locator("#confirm")).to_be_visible()
    if camera is not None:
        camera.take(name, whole=False)
    page.locator("#confirm_yes").click()
    expect(page.locator("#confirm")).to_be_hidden()


def test_an_applicant_answers_the_experts_question(page: Page, camera: Camera, desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=34), Expert(desk.client, "yazd")
    code = applicant.submit(province="yazd")
    expert.receives(code)
    expert.ask(code, QUESTION)
    applicant.sees(code, "info_requested")

    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.locator("#question")).to_have_text(QUESTION)
    expect(page.locator("#result_due_note")).to_contain_text("متوقف")
    camera.take("action-reply")
    page.get_by_role("button", name="فرستادن توضیح").click()
    expect(page.locator("#reply_text_error")).to_contain_text("توضیح خود را بنویسید.")
    expect(page.get_by_label("توضیح شما")).to_be_focused()
    camera.take("action-reply-missing")

    page.get_by_label("توضیح شما").fill("شمارهٔ گذرنامه: B12345678")
    page.get_by_role("button", name="فرستادن توضیح").click()
    confirm(page, camera, "action-reply-confirm")
    expect(page.locator("#moved")).to_have_text("توضیح شما فرستاده شد و رسیدگی ادامه می‌یابد.")
    expect(page.locator("#state")).to_have_text("در حال بررسی")
    expect(page.locator("#history li h3").first).to_have_text("توضیح شما فرستاده شد")
    camera.take("action-replied")


def test_an_applicant_answers_with_files(page: Page, camera: Camera, desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=38), Expert(desk.client, "gilan")
    code = applicant.submit(province="gilan")
    expert.receives(code)
    expert.ask(code, "تصویر گذرنامه و عکس خود را بفرستید.")
    applicant.sees(code, "info_requested")

    TrackPage(page).open().ask(applicant.national_id, code)
    page.get_by_label("توضیح شما").fill("هر دو پیوست است.")
    chosen = [*FILES, {"name": "برنامه.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"}]
    chosen.append({"name": "دروغین.pdf", "mimeType": "application/pdf", "buffer": b"MZ" + bytes(64)})
    page.locator("#reply_files").set_input_files(chosen)
    expect(page.locator(".file[data-state=sent]")).to_have_count(2)
    expect(page.locator(".file", has_text="برنامه.exe")).to_contain_text("این نوع فایل پذیرفته نمی‌شود")
    expect(page.locator(".file", has_text="دروغین.pdf")).to_contain_text("این نوع فایل پذیرفته نمی‌شود")
    page.get_by_role("button", name="فرستادن توضیح").click()
    expect(page.locator("#reply_files_error")).to_contain_text("بعضی از فایل‌ها فرستاده نشده‌اند")
    camera.take("action-reply-files")

    for name in ("برنامه.exe", "دروغین.pdf"):
        page.locator(".file", has_text=name).get_by_role("button", name="حذف").click()
    expect(page.locator("#reply_files_error")).to_be_hidden()
    page.get_by_role("button", name="فرستادن توضیح").click()
    confirm(page)
    expect(page.locator("#moved")).to_have_text("توضیح شما فرستاده شد و رسیدگی ادامه می‌یابد.")
    sent = page.get_by_role("list", name="فایل‌هایی که فرستادید")
    expect(sent.get_by_role("listitem")).to_have_count(2)
    camera.take("action-replied-with-files")
    with page.expect_download() as download:
        sent.get_by_role("button", name="گذرنامه.pdf").click()
    assert download.value.suggested_filename == "گذرنامه.pdf"
    assert download.value.path().read_bytes() == PDF

    ConsolePage(page).sign_in("gilan").open_case(code)
    expect(page.get_by_role("link", name="گذرنامه.pdf")).to_be_visible()
    expect(page.get_by_text("هر دو پیوست است.")).to_be_visible()

    expert.ask(code, "شمارهٔ گذرنامه را هم بنویسید.")
    applicant.sees(code, "info_requested")
    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.locator("#reply_form .file")).to_have_count(0)


def test_an_applicant_who_replied_elsewhere_keeps_the_text_typed_here(page: Page, desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=39), Expert(desk.client, "zanjan")
    code = applicant.submit(province="zanjan")
    expert.receives(code)
    expert.ask(code, QUESTION)
    view = applicant.sees(code, "info_requested")
    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.locator("#question")).to_have_text(QUESTION)
    assert applicant.reply(view["token"], "از جای دیگر", []).status_code == 200

    page.get_by_label("توضیح شما").fill("دوباره")
    page.locator("#reply_files").set_input_files([FILES[0]])
    expect(page.locator(".file[data-state=sent]")).to_have_count(1)
    page.get_by_role("button", name="فرستادن توضیح").click()
    confirm(page)
    expect(page.locator("#actions_error")).to_contain_text("وضعیت درخواست تغییر کرده است")
    expect(page.get_by_role("textbox", name="توضیح شما")).to_have_value("دوباره")


def test_an_applicant_rates_the_answer_and_objects_to_it(page: Page, camera: Camera, desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=35), Expert(desk.client, "zanjan")
    code = applicant.submit(province="zanjan")
    expert.receives(code)
    expert.answer(code, "روادید شما صادر شده است.")
    applicant.sees(code, "answered")

    TrackPage(page).open().ask(applicant.national_id, code)
    rate = opened(page, "rate")
    rate.get_by_role("button").click()
    expect(page.locator("#rate_rating_error")).to_contain_text("یک امتیاز انتخاب کنید.")
    rate.get_by_label("۴").check()
    expect(page.locator("#rate_rating_error")).to_be_hidden()
    rate.get_by_label("نظر شما").fill("پاسخ روشن بود.")
    opened(page, "object")
    camera.take("action-rate-and-object")
    rate.get_by_role("button").click()
    confirm(page)
    expect(page.locator("#moved")).to_have_text("ارزیابی شما ثبت شد. سپاسگزاریم.")
    expect(page.locator("#action_rate")).to_be_hidden()
    expect(page.locator("#history li h3").first).to_have_text("ارزیابی شما ثبت شد: ۴ از ۵")

    objection = opened(page, "object")
    expect(page.locator("#objection_until")).to_contain_text("می‌توانید اعتراض کنید")
    objection.get_by_label("دلیل اعتراض").fill("پاسخ به پرسش من نبود.")
    objection.get_by_role("button").click()
    confirm(page)
    expect(page.locator("#state")).to_have_text("در حال بررسی دوباره")
    expect(page.locator("#request_actions")).to_be_hidden()
    camera.take("action-objected")


def test_an_applicant_withdraws_only_after_confirming(page: Page, camera: Camera, desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=36), Expert(desk.client, "semnan")
    code = applicant.submit(province="semnan")
    expert.receives(code)
    applicant.sees(code, "received")

    TrackPage(page).open().ask(applicant.national_id, code)
    withdrawal = opened(page, "withdraw")
    camera.take("action-withdraw")
    withdrawal.get_by_role("button").click()
    page.get_by_role("button", name="بازگشت").click()
    expect(page.locator("#state")).to_have_text("به دست کارشناسان رسید")
    withdrawal.get_by_role("button").click()
    confirm(page, camera, "action-withdraw-confirm")
    expect(page.locator("#state")).to_have_text("پس گرفته شد")
    expect(page.locator("#result_due_row")).to_be_hidden()
    camera.take("action-withdrawn")


def test_an_action_that_is_too_late_says_what_to_do(page: Page, camera: Camera, desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=37), Expert(desk.client, "bushehr")
    code = applicant.submit(province="bushehr")
    expert.receives(code)
    applicant.sees(code, "received")
    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.locator("#result")).to_be_visible()
    expert.answer(code, "پاسخ شما آماده است.")
    applicant.sees(code, "answered")

    opened(page, "withdraw").get_by_role("button").click()
    confirm(page)
    expect(page.locator("#actions_error")).to_contain_text("وضعیت درخواست تغییر کرده است")
    expect(page.locator("#actions_error").get_by_role("link")).to_have_attribute("href", "/track")
    camera.take("action-too-late")
