"""A request that another person sends for the applicant."""

from browser.camera import Camera
from browser.pages import SendPage, TrackPage, living
from playwright.sync_api import Page, expect
from support.embedded_desk import RunningDesk


def test_a_person_sends_a_request_for_another_one(send: SendPage, page: Page, desk: RunningDesk):
    applicant, helper = living(desk.client, 90), living(desk.client, 91)
    send.fill_all(applicant, files=False)
    expect(page.locator("#representative")).to_have_count(0)
    page.get_by_label("برای شخص دیگری می‌فرستم").check()
    name = page.get_by_label("نام و نام خانوادگی شما")
    name.fill("سارا ۱")
    page.locator("#representative_national_id").fill(applicant["national_id"])
    send.read_code()
    send.submit.click()

    summary = page.locator("#error_summary")
    expect(summary.get_by_role("link")).to_have_count(3)
    expect(page.locator("#representative_national_id_error")).to_contain_text("همان کد ملی متقاضی")
    Camera(page).take("send-for-another", whole=True)

    name.fill("سارا بهرامی")
    page.locator("#representative_national_id").fill(helper["national_id"])
    page.get_by_label("تلفن همراه شما").fill("۰۹۱۲۱۱۱۲۲۳۳")
    page.reload()
    send.loaded()
    expect(page.get_by_label("نام و نام خانوادگی شما")).to_have_value("سارا بهرامی")
    send.read_code()
    send.submit.click()
    code = send.received_code()
    expect(page.locator("#receipt_representative")).to_have_text("سارا بهرامی")

    track = TrackPage(page).open()
    track.ask(applicant["national_id"], code)
    expect(page.locator("#sent_representative")).to_have_text("سارا بهرامی")
    expect(page.locator("#sent_source_row")).to_be_hidden()
    expect(page.locator("body")).not_to_contain_text(helper["national_id"])
