"""The catalogue is edited by two people of headquarters, used by an applicant, and read by an expert."""

import re
from collections.abc import Callable, Iterator

import pytest
from browser.camera import Camera
from browser.pages import ConsolePage, SendPage, living
from playwright.sync_api import Page, expect
from support.applicant import Expert
from support.embedded_desk import RunningDesk

from desk.iran.digits import to_ascii

SHEBA = "IR580540105180021273113007"


@pytest.fixture(scope="module")
def desk(resting_desk: RunningDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk of its own, whose catalogue these tests change; the other desk has installed the pages."""
    assert resting_desk.process.poll() is None
    running = RunningDesk(tmp_path_factory.mktemp("catalogue") / "data")
    yield running
    running.kill()


@pytest.fixture
def headquarters(open_page: Callable[..., Page]) -> Callable[[str], Page]:
    """Sign people of headquarters in, each in a browser of their own without scripts."""

    def sign_in(username: str) -> Page:
        page = open_page(java_script_enabled=False)
        ConsolePage(page).sign_in(username)
        page.get_by_role("link", name="فهرست موضوع‌ها").click()
        return page

    return sign_in


def begin(page: Page, note: str) -> None:
    page.get_by_label("چه چیزی و چرا تغییر می‌کند؟").fill(note)
    page.get_by_role("button", name="آغاز پیش‌نویس").click()
    expect(page.get_by_role("heading", name=note, level=1)).to_be_visible()


def propose(page: Page) -> None:
    page.get_by_role("button", name="پیشنهاد برای تصویب").click()
    expect(page.locator("#done")).to_contain_text("برای تصویب پیشنهاد شد")


def approve(page: Page, note: str, document: str = "catalog") -> None:
    page.goto(f"/demo/expert/{document}")
    page.get_by_role("link", name=note).click()
    page.get_by_role("button", name="تصویب", exact=True).click()
    expect(page.locator("#done")).to_contain_text("تصویب شد")


NOTE = "شمارهٔ شبا و گذرنامه برای روادید عمره"
NOTICE = "مهلت ثبت‌نام عمره تا پایان دی است."


def write_sub_subject(page: Page) -> None:
    """Change days, guidance, fields and documents of the Umrah visa, after one mistake."""
    page.get_by_role("link", name="روادید و گذرنامهٔ عمره").click()
    Camera(page, scripts=False).take("console-catalog-sub-subject")
    page.get_by_label("مهلت پاسخ (روز کاری)").fill("زیاد")
    page.get_by_role("button", name="ثبت در پیش‌نویس").click()
    expect(page.locator("#answer_within_days_error")).to_be_visible()
    page.get_by_label("مهلت پاسخ (روز کاری)").fill("۴")
    page.get_by_label("راهنمای متقاضی").fill("شمارهٔ شبای به نام خودتان را بنویسید.")
    page.locator("#fields-1-title").fill("شمارهٔ شبا")
    page.locator("#fields-1-title_en").fill("IBAN")
    page.locator("#fields-1-kind").select_option("iban")
    page.locator("[name=fields-1-required]").check()
    page.locator("#documents-1-title").fill("تصویر گذرنامه")
    page.locator("[name=documents-1-required]").check()
    page.get_by_role("button", name="ثبت در پیش‌نویس").click()
    expect(page.locator("#changes")).to_contain_text("روادید و گذرنامهٔ عمره › مهلت پاسخ (روز کاری)")


def write_notice(page: Page) -> None:
    """Add a notice for two pages."""
    page.get_by_role("link", name="اعلان‌ها، تعطیلی میز خدمت").click()
    page.locator("#notices-1-text").fill(NOTICE)
    page.locator("#notices-1-text_en").fill("Umrah registration ends in January.")
    for shown_on in ("home", "send"):
        page.locator(f"[name=notices-1-on_{shown_on}]").check()
    Camera(page, scripts=False).take("console-catalog-announcements")
    page.get_by_role("button", name="ثبت در پیش‌نویس").click()


def send_with_fields(page: Page, send: SendPage) -> str:
    """Send a request with a further field and a document, after mistakes in both; return its code."""
    expect(page.locator("#sub_subject_hint")).to_contain_text("۴ روز کاری")
    expect(page.locator("#sub_subject_guidance")).to_contain_text("شمارهٔ شبای به نام خودتان")
    page.get_by_label("شمارهٔ شبا").fill(SHEBA[:-1] + "8")
    send.read_code()
    send.submit.click()
    expect(send.summary).to_contain_text("شمارهٔ شبا درست نیست")
    expect(send.summary).to_contain_text("این مدرک را پیوست کنید")
    Camera(page).take("send-further-fields")
    page.get_by_label("شمارهٔ شبا").fill("58 0540 1051 8002 1273 1130 07")
    send.choose_files()
    send.files_are_uploaded()
    expect(page.get_by_label("فایل «تصویر گذرنامه»")).to_have_value(re.compile(".+"))
    send.submit.click()
    expect(page.locator("#tracking_code")).to_be_visible()
    return to_ascii(page.locator("#tracking_code").inner_text()).replace(" ", "")


def test_a_change_by_two_people_reaches_applicant_and_expert(
    desk: RunningDesk, headquarters: Callable[[str], Page], open_page: Callable[..., Page]
):
    author, page = headquarters("headquarters"), open_page()
    Camera(author, scripts=False).take("console-catalog")
    begin(author, NOTE)
    write_sub_subject(author)
    write_notice(author)
    propose(author)
    expect(author.get_by_text("تصویب با سرپرستی است که")).to_be_visible()
    Camera(author, scripts=False).take("console-catalog-draft")
    preview = author.get_by_role("link", name="پیش‌نمایش، همان‌گونه که متقاضی می‌بیند").get_attribute("href")
    page.goto(str(preview))
    expect(page.get_by_text(NOTICE)).to_be_visible()
    page.goto("/")
    page.goto("/send")
    page.get_by_label("موضوع اصلی").select_option("umrah")
    page.get_by_label("موضوع فرعی").select_option("umrah_visa")
    expect(page.locator("#sub_subject_hint")).to_contain_text("۱۰ روز کاری")
    expect(page.locator("#extra_fields input")).to_have_count(0)

    approve(headquarters("headquarters.supervisor"), NOTE)

    page = open_page()  # without what the first one keeps for seconds
    page.goto("/")
    expect(page.get_by_text(NOTICE)).to_be_visible()
    Camera(page).take("home-notice")
    send = SendPage(page).open()
    send.fill_all(living(desk.client, 4), files=False)
    code = send_with_fields(page, send)

    Expert(desk.client, "isfahan").receives(code)
    console = open_page(java_script_enabled=False)
    ConsolePage(console).sign_in("isfahan").open_case(code)
    expect(console.get_by_text("IR۵۸ ۰۵۴۰ ۱۰۵۱ ۸۰۰۲ ۱۲۷۳ ۱۱۳۰ ۰۷")).to_be_visible()
    expect(console.get_by_text("تصویر گذرنامه")).to_be_visible()
    Camera(console, scripts=False).take("console-case-further-fields")


def test_the_english_pages_have_the_english_texts(desk: RunningDesk, headquarters: Callable[[str], Page], page: Page):
    author = headquarters("headquarters")
    begin(author, "تعطیلی عتبات")
    author.get_by_role("link", name="ثبت‌نام در کاروان عتبات").click()
    author.locator("#closures-1-text").fill("ثبت‌نام عتبات تا پایان محرم بسته است.")
    author.locator("#closures-1-text_en").fill("Registration is closed until Muharram ends.")
    author.get_by_role("button", name="ثبت در پیش‌نویس").click()
    propose(author)
    approve(headquarters("headquarters.supervisor"), "تعطیلی عتبات")

    page.goto("/send?lang=en")
    page.locator("#subject").select_option("atabat")
    page.locator("#sub_subject").select_option("atabat_registration")
    expect(page.locator("#sub_subject_guidance")).to_have_text("Registration is closed until Muharram ends.")
    Camera(page).take("en-send-closed-subject")
    refused = desk.client.get("/api/catalog").json()
    closed = [each for subject in refused["subjects"] for each in subject["sub_subjects"] if each.get("closures")]
    assert [each["key"] for each in closed] == ["atabat_registration"]


def test_the_author_of_a_draft_is_not_offered_its_approval_and_can_discard_it(headquarters: Callable[[str], Page]):
    page = headquarters("headquarters.supervisor")
    begin(page, "بدون تغییر")
    page.get_by_role("button", name="پیشنهاد برای تصویب").click()
    expect(page.locator("#error_summary")).to_contain_text("تفاوتی ندارد")
    expect(page.get_by_role("button", name="تصویب", exact=True)).to_have_count(0)
    page.get_by_role("button", name="دور انداختن پیش‌نویس").click()
    expect(page.locator("#done")).to_contain_text("دور انداخته شد")
