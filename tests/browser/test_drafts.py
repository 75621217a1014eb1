"""Drafts: input and uploads survive a reload and the back button, and are deleted after sending."""

import json
from collections.abc import Callable

import pytest
from browser.pages import FILES, MOBILE, TEXT, SendPage, TrackPage, living
from browser.watch import Watch
from playwright.sync_api import Page, Route, expect
from support.applicant import PDF, Applicant, Expert
from support.embedded_desk import RunningDesk

UPLOADS = "**/api/attachments"


def is_empty(send: SendPage) -> bool:
    """Return whether nothing is typed or chosen; radio buttons and check boxes always have a value."""
    return not any(
        value for field, value in send.typed().items() if not field.startswith(("gender_", "abroad", "for_another"))
    )


def kept(page: Page) -> str:
    """Return everything that the tab stores."""
    return str(page.evaluate("JSON.stringify(Object.entries(sessionStorage))"))


def hang(_: Route) -> None:
    """Block a request and do not respond."""


def test_a_reload_loses_nothing_and_repeats_no_look_up(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    person = living(desk.client, 60)
    send.fill_all(person)
    send.code.fill("123")
    before = send.typed()
    page.reload()
    send.loaded()

    assert send.typed() == before
    send.has_read(person)
    send.files_are_uploaded()
    expect(send.code).to_have_value("")
    expect(page.locator("#draft_note")).to_contain_text("برگردانده شد")
    expect(page.locator("#text_counter")).not_to_contain_text("۰ از")
    send.read_code()
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("۲ فایل")
    assert watch.sent("POST", "/api/identities") == 1
    assert watch.sent("POST", "/api/attachments") == len(FILES)


def test_leaving_and_returning_loses_nothing(send: SendPage, page: Page, desk: RunningDesk):
    send.fill_all(living(desk.client, 61))
    before = send.typed()
    page.goto("/help")
    page.go_back()
    send.loaded()
    assert send.typed() == before
    send.files_are_uploaded()

    page.goto("/")
    page.goto("/send")
    send.loaded()
    assert send.typed() == before
    page.go_back()
    page.go_forward()
    send.loaded()
    assert send.typed() == before


def test_an_unfinished_upload_must_be_chosen_again(send: SendPage, page: Page, desk: RunningDesk):
    send.fill_all(living(desk.client, 62), files=False)
    send.choose_files(FILES[:1])
    send.files_are_uploaded(1)
    page.route(UPLOADS, hang)
    send.choose_files(FILES[1:])
    late = send.file("عکس.png")
    expect(late).to_have_attribute("data-state", "uploading")
    page.reload()  # while nothing gets through: an aborted upload would still arrive
    page.unroute_all()
    send.loaded()

    expect(late).to_have_attribute("data-state", "lost")
    send.files_are_uploaded(1)
    send.read_code()
    send.submit.click()
    expect(send.summary).to_contain_text("دوباره انتخاب کنید")
    with page.expect_file_chooser() as chooser:
        late.get_by_role("button", name="دوباره انتخاب کنید").click()
    chooser.value.set_files([FILES[1]])
    send.files_are_uploaded(2)
    expect(page.locator(".file")).to_have_count(2)
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("۲ فایل")


def test_a_lost_file_can_be_removed_instead(send: SendPage, page: Page, desk: RunningDesk):
    send.fill_all(living(desk.client, 62), files=False)
    page.route(UPLOADS, hang)
    send.choose_files(FILES[:1])
    expect(send.file("گذرنامه.pdf")).to_have_attribute("data-state", "uploading")
    page.reload()  # while nothing gets through: an aborted upload would still arrive
    page.unroute_all()
    send.loaded()
    send.file("گذرنامه.pdf").get_by_role("button", name="حذف").click()
    send.read_code()
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("ندارد")


def test_a_file_that_the_desk_has_deleted_is_shown_and_can_be_chosen_again(
    send: SendPage, page: Page, desk: RunningDesk
):
    send.fill_all(living(desk.client, 63), files=False)
    send.choose_files(FILES[:1])
    send.files_are_uploaded(1)
    draft = json.loads(page.evaluate("sessionStorage.getItem('desk.request')"))
    sent = draft["value"]["files"][0]["sent"]
    page.reload()
    send.loaded()
    desk.client.delete(f"/api/attachments/{sent['id']}", headers={"Authorization": f"Bearer {sent['token']}"})
    send.read_code()
    send.submit.click()

    forgotten = send.file("گذرنامه.pdf")
    expect(send.summary).to_be_focused()
    expect(forgotten).to_have_attribute("data-state", "lost")
    expect(forgotten).to_contain_text("دیگر نزد ما نیست")
    send.choose_files(FILES[:1])
    send.files_are_uploaded(1)
    expect(page.locator(".file")).to_have_count(1)
    send.read_code()
    send.submit.click()
    send.received_code()


def test_typed_names_survive_a_reload(page: Page, desk: RunningDesk):
    desk.client.post("/demo/registry", data={"answers": "false"})
    try:
        send = SendPage(page).open()
        person = living(desk.client, 64)
        send.type_birth_date(person)
        send.type_national_id(person["national_id"])
        expect(page.locator("#identity[data-state=pending]")).to_be_visible()
        page.get_by_label("نام", exact=True).fill("زهرا")
        page.get_by_label("نام خانوادگی").fill("آزمایشی")
        page.get_by_label("زن", exact=True).check()
        page.reload()
        send.loaded()
        expect(page.locator("#identity[data-state=pending]")).to_be_visible()
        expect(page.get_by_label("نام", exact=True)).to_have_value("زهرا")
        expect(page.get_by_label("نام خانوادگی")).to_have_value("آزمایشی")
        expect(page.get_by_label("زن", exact=True)).to_be_checked()
    finally:
        desk.client.post("/demo/registry", data={"answers": "true"})


def test_after_success_only_the_receipt_is_kept(send: SendPage, page: Page, desk: RunningDesk):
    person = living(desk.client, 72)
    send.fill_all(person)
    assert TEXT.split("\n")[0] in kept(page)
    token = json.loads(page.evaluate("sessionStorage.getItem('desk.request')"))["value"]["identity"]["person"]["token"]
    send.read_code()
    send.submit.click()
    code = send.received_code()
    left = kept(page)
    assert page.evaluate("Object.keys(sessionStorage)") == ["desk.receipt"]
    for secret in (person["national_id"], MOBILE, person["last_name"], FILES[0]["name"], token):
        assert secret not in left
    assert page.evaluate("localStorage.length") == 0

    page.reload()
    assert send.received_code() == code
    expect(page.locator("#request_form")).to_be_hidden()
    page.goto("/track")
    page.go_back()
    assert send.received_code() == code

    page.get_by_role("link", name="ارسال درخواست").click()
    send.loaded()
    assert is_empty(send)


def test_a_new_request_replaces_the_receipt(send: SendPage, page: Page, desk: RunningDesk):
    send.fill_all(living(desk.client, 77), files=False)
    send.read_code()
    send.submit.click()
    send.received_code()
    page.goto("/track")
    page.get_by_role("link", name="ارسال درخواست").click()
    send.loaded()
    assert is_empty(send)
    page.get_by_label("متن درخواست").fill("یک درخواست تازه")
    page.go_back()
    page.go_back()
    send.loaded()
    expect(page.get_by_label("متن درخواست")).to_have_value("یک درخواست تازه")
    expect(page.locator("#success")).to_be_hidden()


def test_the_form_can_be_cleared(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    send.fill_all(living(desk.client, 73))
    clear = page.get_by_role("button", name="پاک کردن فرم")
    clear.click()
    page.get_by_role("button", name="بازگشت").click()
    expect(page.get_by_label("متن درخواست")).to_have_value(TEXT)
    clear.click()
    page.get_by_role("button", name="بله، پاک شود").click()

    expect(page.locator("#draft_note")).to_be_focused()
    expect(page.locator("#draft_note")).to_have_text("فرم پاک شد.")
    expect(page.locator(".file")).to_have_count(0)
    expect(page.locator("#identity")).to_have_attribute("data-state", "idle")
    assert is_empty(send)
    assert page.evaluate("sessionStorage.length") == 0
    assert watch.sent("POST", "/api/requests") == 0
    page.reload()
    send.loaded()
    assert is_empty(send)


def test_another_tab_has_no_draft(send: SendPage, page: Page, desk: RunningDesk):
    send.fill_all(living(desk.client, 74), files=False)
    other = SendPage(page.context.new_page()).open()
    assert is_empty(other)


@pytest.mark.parametrize(
    "spoil",
    [
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('', 'SecurityError') } })",
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }",
    ],
    ids=["forbidden", "full"],
)
def test_without_storage_everything_works_but_the_draft(open_page: Callable[..., Page], desk: RunningDesk, spoil: str):
    page = open_page()
    page.add_init_script(spoil)
    send = SendPage(page).open()
    send.fill_all(living(desk.client, 75))
    page.reload()
    send.loaded()
    assert is_empty(send)
    send.fill_all(living(desk.client, 75))
    send.read_code()
    send.submit.click()
    send.received_code()


def test_a_reply_survives_a_reload_for_the_applicant_who_finds_the_request_again(page: Page, desk: RunningDesk):
    applicant, expert = Applicant(desk.client, place=76), Expert(desk.client, "kerman")
    code = applicant.submit(province="kerman")
    expert.receives(code)
    expert.ask(code, "شمارهٔ گذرنامهٔ خود را بنویسید.")
    applicant.sees(code, "info_requested")
    track = TrackPage(page).open()
    track.ask(applicant.national_id, code)
    page.get_by_label("توضیح شما").fill("شمارهٔ گذرنامه: B12345678")
    page.locator("#reply_files").set_input_files([FILES[0]])
    expect(page.locator(".file[data-state=sent]")).to_have_count(1)

    page.reload()
    expect(page.locator("#reply_form")).to_be_hidden()
    track.open().ask(applicant.national_id, code)
    expect(page.get_by_role("textbox", name="توضیح شما")).to_have_value("شمارهٔ گذرنامه: B12345678")
    expect(page.locator(".file[data-state=sent]")).to_have_count(1)
    page.get_by_role("button", name="فرستادن توضیح").click()
    page.locator("#confirm_yes").click()
    expect(page.locator("#moved")).to_have_text("توضیح شما فرستاده شد و رسیدگی ادامه می‌یابد.")
    assert page.evaluate("sessionStorage.length") == 0
    sent = page.get_by_role("list", name="فایل‌هایی که فرستادید")
    with page.expect_download() as download:
        sent.get_by_role("button", name="گذرنامه.pdf").click()
    assert download.value.path().read_bytes() == PDF
