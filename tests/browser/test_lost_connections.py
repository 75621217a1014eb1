"""Lost connections: nothing is lost or sent twice when a call, its response or a proof of identity is lost."""

from browser.pages import FILES, SendPage, living
from browser.watch import Watch
from playwright.sync_api import Page, Route, expect
from support.embedded_desk import RunningDesk, wait_for

CUT = "internetdisconnected"
REQUESTS = "**/api/requests"


def keys_sent(watch: Watch) -> list[str]:
    """Return the idempotency keys of the requests that were sent."""
    sent = (each for each in watch.requests if each.method == "POST" and each.url.endswith("/api/requests"))
    return [each.headers["idempotency-key"] for each in sent]


def arrived(desk: RunningDesk, province: str) -> list[str]:
    """Wait until the province has a request; return all tracking codes it has."""
    ask = {"province": province}
    return [each["tracking_code"] for each in wait_for(lambda: desk.client.get("/demo/requests", params=ask).json())]


def cut_once(page: Page, pattern: str, *, after_it_arrived: bool = False) -> None:
    """Abort one call before it arrives, or its response."""

    def lose(route: Route) -> None:
        if after_it_arrived:
            route.fetch()
        route.abort(CUT)

    page.route(pattern, lose, times=1)


def test_an_expired_proof_of_identity_is_renewed_in_place(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    send.fill_all(living(desk.client, 65))
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


def test_a_lost_connection_is_shown_and_typing_goes_on(send: SendPage, page: Page, desk: RunningDesk):
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


def test_a_page_opened_without_a_connection_loads_its_lists_later(page: Page):
    for pattern in ("**/api/catalog", "**/api/captchas", "**/mark.svg"):
        cut_once(page, pattern)
    send = SendPage(page)
    page.goto("/send")
    send.loaded()
    expect(send.summary).to_be_hidden()


def test_an_interrupted_upload_resumes_by_itself(send: SendPage, page: Page, desk: RunningDesk):
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


def test_a_connection_lost_while_sending_makes_exactly_one_request(
    send: SendPage, page: Page, watch: Watch, desk: RunningDesk
):
    send.fill_all(living(desk.client, 68), province="ardabil")
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


def test_a_lost_response_makes_exactly_one_request(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    send.fill_all(living(desk.client, 69), province="qazvin")
    cut_once(page, REQUESTS, after_it_arrived=True)
    send.read_code()
    send.submit.click()
    code = send.received_code()
    assert len(keys_sent(watch)) == 2
    assert len(set(keys_sent(watch))) == 1
    assert arrived(desk, "qazvin") == [code]


def test_a_reload_while_sending_makes_exactly_one_request(send: SendPage, page: Page, watch: Watch, desk: RunningDesk):
    send.fill_all(living(desk.client, 70), province="hamadan")
    page.route(REQUESTS, lambda route: route.fetch() and None)  # the request arrives, but no response returns
    send.read_code()
    send.submit.click()
    expect(send.submit).to_have_text("در حال ثبت درخواست…")
    page.reload()  # while nothing gets through: an aborted upload would still arrive
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
    send.fill_all(living(desk.client, 71), files=False)
    send.read_code()
    send.submit.evaluate("button => { button.click(); button.click(); }")
    send.received_code()
    assert watch.sent("POST", "/api/requests") == 1
