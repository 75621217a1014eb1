"""The story in a browser: a request is sent, printed, answered and tracked with clicks and keys only."""

import io
import unicodedata

from browser.pages import FILES, ConsolePage, SendPage, TrackPage, day_of, living
from playwright.sync_api import Page, Route, expect
from pypdf import PdfReader
from support.applicant import Applicant, Expert
from support.embedded_desk import RunningDesk, wait_for

from desk.iran.digits import to_persian

ANSWER = "روادید شما صادر شده است.\nبرای دریافت آن به دفتر خود مراجعه کنید."


def test_an_applicant_sends_a_request_and_reads_the_answer(page: Page, desk: RunningDesk):
    person = living(desk.client, 0)

    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="ارسال درخواست").click()
    send = SendPage(page).loaded()
    send.identify(person)
    send.choose_province("isfahan")
    expect(page.get_by_label("پیش‌شماره")).to_have_value("۰۳۱")
    send.fill_rest()
    send.choose_files()
    send.files_are_uploaded()
    send.read_code()
    page.get_by_role("button", name="ثبت درخواست").click()
    code = send.received_code()
    expect(page.get_by_role("heading", name="درخواست شما ثبت شد")).to_be_focused()

    Expert(desk.client).receives(code)
    answer_as_expert(page, code)

    TrackPage(page).open().ask(person["national_id"], code)
    expect(page.locator("#state")).to_have_text("پاسخ داده شد")
    expect(page.locator("#answer")).to_have_text(ANSWER)
    expect(page.locator("#history li h3").first).to_have_text("پاسخ داده شد")

    wait_for(lambda: len(desk.client.get("/demo/messages", params={"tracking_code": code}).json()) == 2)
    page.goto("/demo/messages")
    messages = page.locator(f".message[data-tracking-code='{code}']")
    expect(messages).to_have_count(2)
    expect(messages.locator("h2")).to_contain_text(["پیامک", "پیامک"])


def answer_as_expert(page: Page, code: str):
    console = ConsolePage(page).sign_in("isfahan")
    console.open_case(code)
    expect(page.get_by_role("link", name=FILES[0]["name"])).to_be_visible()
    console.take()
    console.answer(ANSWER)


def test_the_receipt_is_one_printed_page_with_all_important_facts(page: Page, desk: RunningDesk):
    person = living(desk.client, 1)
    send = SendPage(page).open()
    send.identify(person)
    send.fill_rest()
    send.read_code()
    send.submit.click()
    code = send.received_code()

    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(page.get_by_role("button")).to_have_count(0)
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages

    assert len(sheets) == 1
    assert [round(float(side) / 72 * 25.4) for side in sheets[0].mediabox[2:]] == [210, 297]
    lines = [characters(line) for line in sheets[0].extract_text().splitlines()]
    subjects = desk.client.get("/api/catalog").json()["subjects"]
    subject = next(str(each["title"]) for each in subjects if each["key"] == "umrah")
    for printed in (
        to_persian(code),
        "استان" + "اصفهان",
        "موضوع اصلی" + subject,
        "کد ملی" + to_persian(f"{person['national_id'][:3]}*****{person['national_id'][-2:]}"),
    ):
        assert characters(printed) in lines, printed


def characters(line: str) -> list[str]:
    """Return letters and digits sorted, because pypdf returns them in either direction.

    Fonts have one glyph for the two characters of «هٔ», and its plain form is another heh.
    """
    plain = unicodedata.normalize("NFKD", line).replace("\u06d5", "ه")
    return sorted(each for each in plain if each.isalnum())


def test_the_tracking_code_reads_from_left_to_right(page: Page, desk: RunningDesk):
    applicant = Applicant(desk.client, place=5)
    code = applicant.submit()
    TrackPage(page).open().ask(applicant.national_id, code)
    shown = page.locator("#result_code")
    expect(shown).to_have_text(to_persian(f"{code[:4]} {code[4:8]} {code[8:]}"))
    lefts = shown.evaluate(
        """element => [0, 5, 10].map((start) => {
          const group = document.createRange();
          group.setStart(element.firstChild, start);
          group.setEnd(element.firstChild, start + 4);
          return group.getBoundingClientRect().left;
        })"""
    )
    assert lefts == sorted(lefts)


def test_the_calendar_fills_the_three_fields(page: Page, desk: RunningDesk):
    person = living(desk.client, 2)
    year, month, day = day_of(person)
    send = SendPage(page).open()
    send.type_national_id(person["national_id"])
    page.get_by_role("button", name="تقویم").click()
    calendar = page.get_by_role("dialog", name="انتخاب تاریخ تولد")
    calendar.get_by_label("سال").select_option(year)
    calendar.get_by_label("ماه", exact=True).select_option(month)
    calendar.get_by_role("gridcell").get_by_text(to_persian(day), exact=True).click()

    expect(calendar).to_be_hidden()
    expect(send.birth_date.get_by_label("روز")).to_have_value(to_persian(day))
    expect(send.birth_date.get_by_label("ماه")).to_have_value(month)
    expect(send.birth_date.get_by_label("سال")).to_have_value(to_persian(year))
    send.has_read(person)
    expect(send.submit).to_be_enabled()


def test_a_file_shows_its_progress_until_it_is_uploaded(page: Page, desk: RunningDesk):
    send = SendPage(page)
    row = send.file(FILES[0]["name"])
    seen = []

    def look_on_the_way(route: Route):
        expect(row.get_by_role("progressbar")).to_be_visible()
        expect(row).to_contain_text("در حال")
        seen.append(route.request.url)
        route.continue_()

    page.route("**/api/attachments", look_on_the_way)
    send.open().choose_files(FILES[:1])
    expect(row).to_contain_text("پس از تأیید هویت فرستاده می‌شود")
    send.identify(living(desk.client, 3))
    expect(row).to_contain_text("فرستاده شد")
    expect(row.get_by_role("progressbar")).to_be_hidden()
    assert len(seen) == 1


def test_the_area_code_follows_the_province(page: Page):
    send = SendPage(page).open()
    for province, area_code in (("isfahan", "۰۳۱"), ("tehran", "۰۲۱"), ("fars", "۰۷۱")):
        send.choose_province(province)
        expect(page.get_by_label("پیش‌شماره")).to_have_value(area_code)
    expect(page.get_by_label("پیش‌شماره")).to_be_editable()


def test_a_waiting_request_shows_its_state_and_deadline(page: Page, desk: RunningDesk):
    applicant = Applicant(desk.client, place=4)
    code = applicant.submit(province="qom")
    applicant.sees(code, "received")
    TrackPage(page).open().ask(applicant.national_id, code)
    expect(page.get_by_role("heading", name="وضعیت درخواست")).to_be_focused()
    expect(page.locator("#result_due")).to_contain_text("حداکثر تا پایان")
    expect(page.locator("#result_province")).to_have_text("قم")
    expect(page.locator("#answer_section")).to_be_hidden()
