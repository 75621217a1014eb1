"""Nothing is lost: what is typed and uploaded outlives a reload, a way back, an expired proof and a cut line."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from applicant import PDF, Applicant, Expert
from browser.pages import FILES, MOBILE, TEXT, SendPage, TrackPage, living
from browser.watch import Watch
from desk_process import RunningDesk, wait_for
from playwright.sync_api import Page, Route, expect

CUT = "internetdisconnected"
UPLOADS = "**/api/attachments"
REQUESTS = "**/api/requests"


@pytest.fixture
def send(page: Page) -> SendPage:
    return SendPage(page).open()


def filled(send: SendPage, person: Any, *, files: bool = True, province: str = "isfahan") -> SendPage:
    """Fill everything but the security code."""
    send.identify(person)
    send.fill_rest(province)
    if files:
        send.choose_files()
        send.files_are_up()
    return send


def is_empty(send: SendPage) -> bool:
    """Whether nothing stands in the form; radio buttons have values of their own."""
    return not any(value for field, value in send.typed().items() if not field.startswith("gender_"))


def kept(page: Page) -> str:
    """Give everything that the tab keeps."""
    return str(page.evaluate("JSON.stringify(Object.entries(sessionStorage))"))


def keys_sent(watch: Watch) -> list[str]:
    """Give the idempotency keys of the requests that went out."""
    sent = (each for each in watch.requests if each.method == "POST" and each.url.endswith("/api/requests"))
    return [each.headers["idempotency-key"] for each in sent]


def arrived(desk: RunningDesk, province: str) -> list[str]:
    """Wait until the province has something; give the tracking codes of all that it has."""
    ask = {"province": province}
    return [each["tracking_code"] for each in wait_for(lambda: desk.client.get("/demo/requests", params=ask).json())]


def hang(_: Route) -> None:
    """Let nothing through, and answer nothing."""


def cut_once(page: Page, pattern: str, *, after_it_arrived: bool = False) -> None:
    """Lose one call on its way, or the answer to it."""

    def lose(route: Route) -> None:
        if after_it_arrived:
            route.fetch()
        route.abort(CUT)

    page.route(pattern, lose, times=1)


def test_a_reload_costs_nothing_and_asks_nobody_again(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    person = living(desk.client, 60)
    filled(send, person)
    send.code.fill("123")
    before = send.typed()
    page.reload()
    send.loaded()

    assert send.typed() == before
    send.has_read(person)
    send.files_are_up()
    expect(send.code).to_have_value("")
    expect(page.locator("#draft_note")).to_contain_text("برگردانده شد")
    expect(page.locator("#text_counter")).not_to_contain_text("۰ از")
    send.read_code()
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("۲ فایل")
    assert watch.sent("POST", "/api/identities") == 1
    assert watch.sent("POST", "/api/attachments") == len(FILES)


def test_going_away_and_back_costs_nothing(send: SendPage, page: Page, desk: RunningDesk):
    filled(send, living(desk.client, 61))
    before = send.typed()
    page.goto("/help")
    page.go_back()
    send.loaded()
    assert send.typed() == before
    send.files_are_up()

    page.goto("/")
    page.goto("/send")
    send.loaded()
    assert send.typed() == before
    page.go_back()
    page.go_forward()
    send.loaded()
    assert send.typed() == before


def test_a_file_that_was_not_yet_up_is_asked_for_again(send: SendPage, page: Page, desk: RunningDesk):
    filled(send, living(desk.client, 62), files=False)
    send.choose_files(FILES[:1])
    send.files_are_up(1)
    page.route(UPLOADS, hang)
    send.choose_files(FILES[1:])
    late = send.file("عکس.png")
    expect(late).to_have_attribute("data-state", "uploading")
    page.reload()  # while nothing gets through: what is let go before it would still go up
    page.unroute_all()
    send.loaded()

    expect(late).to_have_attribute("data-state", "lost")
    send.files_are_up(1)
    send.read_code()
    send.submit.click()
    expect(send.summary).to_contain_text("دوباره انتخاب کنید")
    with page.expect_file_chooser() as chooser:
        late.get_by_role("button", name="دوباره انتخاب کنید").click()
    chooser.value.set_files([FILES[1]])
    send.files_are_up(2)
    expect(page.locator(".file")).to_have_count(2)
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("۲ فایل")


def test_a_lost_file_can_be_removed_instead(send: SendPage, page: Page, desk: RunningDesk):
    filled(send, living(desk.client, 62), files=False)
    page.route(UPLOADS, hang)
    send.choose_files(FILES[:1])
    expect(send.file("گذرنامه.pdf")).to_have_attribute("data-state", "uploading")
    page.reload()  # while nothing gets through: what is let go before it would still go up
    page.unroute_all()
    send.loaded()
    send.file("گذرنامه.pdf").get_by_role("button", name="حذف").click()
    send.read_code()
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("ندارد")


def test_a_file_that_the_desk_has_forgotten_is_said_and_can_be_chosen_again(
    send: SendPage, page: Page, desk: RunningDesk
):
    filled(send, living(desk.client, 63), files=False)
    send.choose_files(FILES[:1])
    send.files_are_up(1)
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
    send.files_are_up(1)
    expect(page.locator(".file")).to_have_count(1)
    send.read_code()
    send.submit.click()
    send.received_code()


def test_typed_names_outlive_a_reload(page: Page, desk: RunningDesk):
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


def test_an_expired_proof_of_identity_is_renewed_in_place(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    filled(send, living(desk.client, 65))
    page.reload()
    send.loaded()

    def expire(route: Route) -> None:
        route.fulfill(status=401, content_type="application/problem+json", body='{"code": "identity_token_expired"}')

    page.route(REQUESTS, expire, times=1)
    send.read_code()
    send.submit.click()
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("۲ فایل")
    assert watch.sent("POST", "/api/identities") == 2
    assert watch.sent("POST", "/api/attachments") == len(FILES)


def test_a_cut_while_typing_is_said_and_nothing_stops(send: SendPage, page: Page, desk: RunningDesk):
    person = living(desk.client, 66)
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("اینترنت قطع است")
    send.type_birth_date(person)
    send.type_national_id(person["national_id"])
    expect(page.locator("#identity")).to_have_attribute("data-state", "busy")
    send.fill_rest()
    page.locator("#new_captcha").click()
    expect(page.locator("#captcha")).to_have_attribute("data-state", "loading")

    page.context.set_offline(False)
    expect(page.locator("#connection")).to_contain_text("دوباره برقرار شد")
    send.has_read(person)
    send.read_code()
    send.submit.click()
    send.received_code()


def test_a_page_that_opens_on_a_cut_line_fills_itself_later(page: Page):
    for pattern in ("**/api/catalog", "**/api/captchas", "**/mark.svg"):
        cut_once(page, pattern)
    send = SendPage(page)
    page.goto("/send")
    send.loaded()
    expect(send.summary).to_be_hidden()


def test_a_cut_while_uploading_goes_on_by_itself(send: SendPage, page: Page, desk: RunningDesk):
    send.identify(living(desk.client, 67))
    send.fill_rest()
    page.context.set_offline(True)
    send.choose_files()
    expect(send.file("گذرنامه.pdf")).to_have_attribute("data-state", "stalled")
    send.read_code()
    send.submit.click()
    expect(send.submit).to_have_text("در انتظار ارسال فایل‌ها…")

    page.context.set_offline(False)
    send.received_code()
    expect(page.locator("#receipt_attachments")).to_have_text("۲ فایل")


def test_a_cut_while_sending_makes_exactly_one_request(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    filled(send, living(desk.client, 68), province="ardabil")
    page.context.set_offline(True)
    send.read_code()
    send.submit.dblclick()
    expect(send.submit).to_have_text("در انتظار وصل شدن اینترنت…")
    send.press_although_off()
    send.code.press("Enter")
    page.context.set_offline(False)
    code = send.received_code()
    assert len(set(keys_sent(watch))) == 1
    assert arrived(desk, "ardabil") == [code]


def test_a_lost_answer_makes_exactly_one_request(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    filled(send, living(desk.client, 69), province="qazvin")
    cut_once(page, REQUESTS, after_it_arrived=True)
    send.read_code()
    send.submit.click()
    code = send.received_code()
    assert len(keys_sent(watch)) == 2
    assert len(set(keys_sent(watch))) == 1
    assert arrived(desk, "qazvin") == [code]


def test_a_reload_in_the_middle_of_sending_makes_exactly_one_request(
    send: SendPage, page: Page, watch: Watch, desk: RunningDesk
):
    filled(send, living(desk.client, 70), province="hamadan")
    page.route(REQUESTS, lambda route: route.fetch() and None)  # it arrives, and no answer comes
    send.read_code()
    send.submit.click()
    expect(send.submit).to_have_text("در حال ثبت درخواست…")
    page.reload()  # while nothing gets through: what is let go before it would still go up
    page.unroute_all()
    send.loaded()
    expect(page.locator("#draft_note")).to_contain_text("دو بار ثبت نمی‌شود")
    send.read_code()
    send.submit.click()
    code = send.received_code()
    assert len(keys_sent(watch)) == 2
    assert len(set(keys_sent(watch))) == 1
    assert arrived(desk, "hamadan") == [code]


def test_pressing_twice_sends_once(send: SendPage, watch: Watch, desk: RunningDesk):
    filled(send, living(desk.client, 71), files=False)
    send.read_code()
    send.submit.evaluate("button => { button.click(); button.click(); }")
    send.received_code()
    assert watch.sent("POST", "/api/requests") == 1


def test_after_success_only_the_receipt_is_kept(send: SendPage, page: Page, desk: RunningDesk):
    person = living(desk.client, 72)
    filled(send, person)
    assert TEXT.split("\n")[0] in kept(page)
    token = json.loads(page.evaluate("sessionStorage.getItem('desk.request')"))["value"]["identity"]["person"]["token"]
    send.read_code()
    send.submit.click()
    code = send.received_code()
    left = kept(page)
    assert page.evaluate("Object.keys(sessionStorage)") == ["desk.receipt"]
    for secret in (TEXT.split("\n")[0], person["national_id"], MOBILE, person["last_name"], FILES[0]["name"], token):
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


def test_a_new_request_takes_the_place_of_the_receipt(send: SendPage, page: Page, desk: RunningDesk):
    filled(send, living(desk.client, 77), files=False)
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


def test_the_form_can_be_thrown_away(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    filled(send, living(desk.client, 73))
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


def test_another_tab_knows_nothing(send: SendPage, page: Page, desk: RunningDesk):
    filled(send, living(desk.client, 74), files=False)
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
    filled(send, living(desk.client, 75))
    page.reload()
    send.loaded()
    assert is_empty(send)
    filled(send, living(desk.client, 75))
    send.read_code()
    send.submit.click()
    send.received_code()


def test_a_reply_outlives_a_reload_for_who_finds_the_request_again(page: Page, desk: RunningDesk):
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
