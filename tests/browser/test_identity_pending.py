"""The form while the civil registry is unavailable: the applicant types the name, and the page says why."""

import json
from collections.abc import Callable, Iterator

import pytest
from browser.camera import Camera
from browser.pages import ConsolePage, SendPage, TrackPage, living
from playwright.sync_api import Page, Route, expect
from support.applicant import Applicant, Expert
from support.embedded_desk import RunningDesk

from desk.iran.digits import to_persian

FOREIGN_CODE = "123456789012"


@pytest.fixture
def registry(desk: RunningDesk) -> Iterator[Callable[..., None]]:
    """Switch the civil registry on or off. It is on after the test."""

    def switch(*, on: bool) -> None:
        desk.client.post("/demo/registry", data={"answers": str(on).lower()})

    yield switch
    switch(on=True)


def type_names(page: Page, first: str = "ناشناس", last: str = "آزمایشی") -> None:
    page.get_by_label("نام", exact=True).fill(first)
    page.get_by_label("نام خانوادگی").fill(last)
    page.get_by_label("زن", exact=True).check()


def test_an_applicant_types_the_names_and_the_request_is_held(
    page: Page, desk: RunningDesk, registry: Callable[..., None]
):
    person = living(desk.client, 40)
    registry(on=False)
    send = SendPage(page).open()
    send.type_birth_date(person)
    send.type_national_id(person["national_id"])
    expect(page.locator("#identity[data-state=pending]")).to_be_visible()
    expect(page.locator("#identity_status")).to_contain_text("ثبت احوال اکنون پاسخ نمی‌دهد")
    expect(page.get_by_label("نام", exact=True)).to_be_editable()

    send.fill_rest()
    send.read_code()
    send.submit.click()
    for missing in ("نام خود را وارد کنید", "نام خانوادگی خود را وارد کنید", "جنسیت خود را انتخاب کنید"):
        expect(send.summary).to_contain_text(missing)

    type_names(page, first="زهرا۱")
    page.get_by_label("نام خانوادگی").blur()
    expect(page.locator("#first_name_error")).to_contain_text("فقط با حروف")
    type_names(page)
    expect(page.locator("#first_name_error")).to_be_hidden()
    send.submit.click()
    expect(send.summary).to_contain_text("دکمهٔ «فرستادن کد به این شماره» را بزنید")
    send.confirm_mobile()
    send.submit.click()
    code = send.received_code()
    expect(page.locator("#receipt_pending")).to_be_visible()
    TrackPage(page).open().ask(person["national_id"], code)
    expect(page.locator("#state")).to_have_text("در انتظار تأیید هویت")
    page.locator("#lookups_part summary").click()
    expect(page.locator("#lookups_status")).to_have_text("هنوز نپرسیده است.")

    registry(on=True)
    received = Expert(desk.client, "isfahan").receives(code)
    assert received["applicant"]["last_name"] == person["last_name"]
    applicant = Applicant(desk.client, place=40)
    applicant.sees(code, "received")
    TrackPage(page).open().ask(person["national_id"], code)
    page.locator("#lookups_part summary").click()
    expect(page.locator("#lookups li")).to_contain_text("بررسی هویت پس از ثبت درخواست")


def test_retrying_reads_the_name_as_soon_as_the_registry_is_available(
    page: Page, desk: RunningDesk, registry: Callable[..., None]
):
    person = living(desk.client, 41)
    registry(on=False)
    send = SendPage(page).open()
    send.type_birth_date(person)
    send.type_national_id(person["national_id"])
    expect(page.locator("#identity[data-state=pending]")).to_be_visible()
    type_names(page)
    page.locator("#identity_retry").click()
    expect(page.locator("#identity[data-state=pending]")).to_be_visible()
    expect(page.get_by_label("نام خانوادگی")).to_have_value("آزمایشی")
    expect(page.get_by_label("زن", exact=True)).to_be_checked()

    registry(on=True)

    def read() -> None:
        page.locator("#identity_retry").click()
        expect(page.locator("#identity")).not_to_have_attribute("data-state", "busy")

    read()
    while page.locator("#identity").get_attribute("data-state") == "pending":  # until the circuit breaker closes
        read()
    send.has_read(person)


def test_a_foreign_national_sends_a_request(page: Page, desk: RunningDesk):
    send = SendPage(page).open()
    send.type_birth_date(living(desk.client, 42))
    send.type_national_id(FOREIGN_CODE)
    expect(page.locator("#identity_status")).to_contain_text("اتباع خارجی")
    expect(page.locator("#identity_retry")).to_be_hidden()
    type_names(page, first="Anne-Marie", last="Neil-Abadi")
    send.fill_rest(province="ilam")
    send.confirm_mobile()
    send.read_code()
    send.submit.click()
    code = send.received_code()
    expect(page.locator("#receipt_national_id")).to_have_text(to_persian("123*******12"))

    Expert(desk.client, "ilam").receives(code)
    ConsolePage(page).sign_in("ilam").open_case(code)
    expect(page.locator("#unconfirmed")).to_be_visible()
    TrackPage(page).open().ask(FOREIGN_CODE, code)
    expect(page.locator("#result_code")).to_be_visible()


def test_no_request_can_be_sent_for_a_deceased_person_and_the_page_says_where_to_go(page: Page, desk: RunningDesk):
    deceased = next(each for each in desk.client.get("/demo/people").json() if each["deceased"])
    send = SendPage(page).open()
    send.type_birth_date(deceased)
    send.type_national_id(deceased["national_id"])
    expect(page.locator("#identity[data-state=barred]")).to_be_visible()
    expect(page.locator("#identity_status")).to_contain_text("ادارهٔ حج و زیارت استان")
    expect(page.get_by_label("نام", exact=True)).not_to_be_editable()
    send.fill_rest()
    send.read_code()
    send.press_although_off()
    expect(send.summary).to_contain_text("ادارهٔ حج و زیارت استان")
    Camera(page).take("send-barred")


@pytest.mark.parametrize(
    ("reason", "available_at", "said"),
    [
        ("closed", "2027-03-22T03:30:00Z", "۲ فروردین ۱۴۰۶، ساعت ۰۷:۰۰ باز می‌شود"),
        ("closed", None, "اکنون بسته است"),
        ("quota", "2027-03-22T03:30:00Z", "سهمیهٔ امروز"),
        ("unreachable", None, "پاسخ نمی‌دهد"),
    ],
)
def test_the_page_says_why_the_name_must_be_typed(
    page: Page, desk: RunningDesk, reason: str, available_at: str | None, said: str
):
    def give_reason(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(
            response=answer, body=json.dumps(answer.json() | {"reason": reason, "available_at": available_at})
        )

    page.route("**/api/identities", give_reason)
    send = SendPage(page).open()
    send.type_birth_date(living(desk.client, 43))
    send.type_national_id(FOREIGN_CODE)
    expect(page.locator("#identity_status")).to_contain_text(said)
    expect(page.locator("#identity_status")).to_contain_text("بعداً خودکار بررسی می‌شود")
    if reason == "closed" and available_at:
        camera = Camera(page)
        camera.take("send-pending")
        send.submit.click()
        expect(page.locator("#gender_error")).to_be_visible()
        camera.take("send-pending-errors")
