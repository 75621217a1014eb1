"""The pages as an applicant and an expert use them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import FilePayload, Locator, Page, expect
from support.applicant import PDF, PNG
from support.embedded_desk import CAPTCHA_ANSWER

from desk.iran.digits import to_ascii, to_persian

TIMEOUT_MS = 30_000

Person = Mapping[str, Any]

TEXT = "سلام، روادید عمرهٔ من چه زمانی صادر می‌شود؟\nشمارهٔ قبض: ۱۲۳۴۵"
MOBILE = "۰۹۱۲۰۰۰۰۰۰۰"
FILES: tuple[FilePayload, ...] = (
    {"name": "گذرنامه.pdf", "mimeType": "application/pdf", "buffer": PDF},
    {"name": "عکس.png", "mimeType": "image/png", "buffer": PNG},
)


def living(client: httpx.Client, place: int) -> Person:
    """Return one of the living synthetic people."""
    found: list[Person] = [person for person in client.get("/demo/people").json() if not person["deceased"]]
    return found[place]


def day_of(person: Person) -> tuple[str, str, str]:
    """Return year, month and day of birth, without leading zeros."""
    year, month, day = (str(int(part)) for part in str(person["birth_date"]).split("-"))
    return year, month, day


class Form:
    """What both forms have: a security code, a button and an error summary."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.submit = page.locator("#submit")
        self.summary = page.locator("#error_summary")
        self.code = page.locator("#captcha_answer")

    def read_code(self, answer: str = CAPTCHA_ANSWER) -> None:
        """Type the security code. Waits for the image, because a new image clears the field."""
        expect(self.page.locator("#captcha[data-state=ready]")).to_be_visible()
        self.code.fill(answer)

    def press_although_off(self) -> None:
        """Press the disabled button, as a user does who does not see that it is disabled."""
        self.submit.evaluate("button => button.click()")


class SendPage(Form):
    """«ارسال درخواست»."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.birth_date = page.get_by_role("group", name="تاریخ تولد")

    def open(self) -> "SendPage":
        """Open the page and wait until it is ready."""
        self.page.goto("/send")
        return self.loaded()

    def loaded(self) -> "SendPage":
        """Wait for provinces, subjects and the security code."""
        expect(self.page.locator("#province option[value=isfahan]")).to_be_attached()
        expect(self.page.locator("#captcha[data-state=ready]")).to_be_visible()
        return self

    def type_birth_date(self, person: Person) -> None:
        """Fill the three fields of the birth date."""
        year, month, day = day_of(person)
        self.birth_date.get_by_label("روز").fill(to_persian(day))
        self.birth_date.get_by_label("ماه").select_option(month)
        self.birth_date.get_by_label("سال").fill(to_persian(year))

    def type_national_id(self, national_id: str) -> None:
        """Type the number in Persian digits and leave the field."""
        field = self.page.get_by_label("کد ملی")
        field.fill("")
        field.press_sequentially(to_persian(national_id))
        field.blur()

    def identify(self, person: Person) -> None:
        """Fill birth date and national ID, and wait for the name."""
        self.type_birth_date(person)
        self.type_national_id(person["national_id"])
        self.has_read(person)

    def has_read(self, person: Person) -> None:
        """Check that name and gender are shown and cannot be edited."""
        gender = "زن" if person["gender"] == "female" else "مرد"
        for label, value in (
            ("نام", person["first_name"]),
            ("نام خانوادگی", person["last_name"]),
            ("جنسیت", gender),
        ):
            field = self.page.get_by_label(label, exact=True)
            expect(field).to_have_value(str(value))
            expect(field).not_to_be_editable()

    def fill_rest(self, province: str = "isfahan") -> None:
        """Fill everything after the name except files and security code."""
        self.choose_province(province)
        self.page.get_by_label("تلفن همراه").fill(MOBILE)
        self.page.get_by_label("موضوع اصلی").select_option("umrah")
        self.page.get_by_label("موضوع فرعی").select_option("umrah_visa")
        self.page.get_by_label("متن درخواست").fill(TEXT)

    def confirm_mobile(self, answer: str = CAPTCHA_ANSWER) -> None:
        """Request a code by SMS for the typed mobile, and enter it."""
        self.page.locator("#mobile_code_send").click()
        expect(self.page.locator("#mobile_code_status")).to_contain_text(re.compile("کد فرستاده شد|code was sent"))
        self.page.locator("#mobile_code").fill(to_persian(answer))

    def fill_all(self, person: Person, *, files: bool = True, province: str = "isfahan") -> None:
        """Fill everything except the security code, and wait for the uploads."""
        self.identify(person)
        self.fill_rest(province)
        if files:
            self.choose_files()
            self.files_are_uploaded()

    def choose_province(self, key: str) -> None:
        """Search a province by its English name, and choose it."""
        self.page.locator("#province_search").fill(key)
        self.page.locator(f"#province_list [data-value={key}]").click()
        expect(self.page.locator("#province")).to_have_value(key)

    def choose_files(self, files: Sequence[FilePayload | Path] = FILES) -> None:
        """Choose files in the picker."""
        self.page.locator("#attachments").set_input_files(list(files))

    def file(self, name: str) -> Locator:
        """Return a file of the list."""
        return self.page.locator(".file", has_text=name)

    def files_are_uploaded(self, count: int = len(FILES)) -> None:
        """Wait until ``count`` files have been uploaded."""
        expect(self.page.locator(".file[data-state=sent]")).to_have_count(count)

    def typed(self) -> dict[str, str]:
        """Return the value of every field that is kept in the draft."""
        values: dict[str, str] = self.page.locator(
            "#request_form :is(input:not([type=file], #captcha_answer, #mobile_code), select, textarea)"
        ).evaluate_all("fields => Object.fromEntries(fields.map(field => [field.id, field.value]))")
        return values

    def received_code(self) -> str:
        """Wait for the green message and return its tracking code in ASCII digits.

        The tests share synthetic people: the question whether the same request is meant again is confirmed.
        """
        success = self.page.locator("#success .notice-success")
        question = self.page.locator("#repeat_question")
        expect(success.or_(question).filter(visible=True)).to_be_visible()
        if question.is_visible():
            self.page.locator("#repeat_yes").click()
        expect(success).to_be_visible()
        shown = self.page.locator("#tracking_code").inner_text()
        assert re.fullmatch(r"[۰-۹]{4}( [۰-۹]{4}){2}|[0-9]{4}( [0-9]{4}){2}", shown.strip()), shown
        return to_ascii(shown).replace(" ", "").strip()


class TrackPage(Form):
    """«پیگیری درخواست»."""

    def open(self) -> "TrackPage":
        """Open the page and wait until it is ready."""
        self.page.goto("/track")
        expect(self.page.locator("#captcha[data-state=ready]")).to_be_visible()
        return self

    def ask(self, national_id: str, tracking_code: str) -> None:
        """Fill the three fields and press «پیگیری»."""
        self.page.get_by_label("کد ملی").fill(to_persian(national_id))
        self.page.get_by_label("کد پیگیری").fill(to_persian(tracking_code))
        self.read_code()
        self.submit.click()


class ConsolePage:
    """The experts' console of the demonstration."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def sign_in(self, username: str) -> "ConsolePage":
        """Sign in with one of the accounts that the page shows."""
        self.page.goto("/demo/expert")
        self.page.get_by_label("نام کاربری").select_option(username)
        self.page.get_by_role("button", name="ورود").click()
        expect(self.page.get_by_role("heading", name="درخواست‌ها", level=1)).to_be_visible()
        self.page.wait_for_load_state()
        return self

    def open_case(self, code: str) -> None:
        """Find a case in the list and open it. Its scripts have run then."""
        self.page.get_by_label("جست‌وجو", exact=True).fill(code)
        self.page.get_by_role("button", name="نمایش").click()
        self.page.locator(f"[data-tracking-code='{code}']").get_by_role("link").click()
        expect(self.page.get_by_role("heading", name="تاریخچه")).to_be_visible()
        self.page.wait_for_load_state()

    def take(self) -> None:
        """Take the open case. The page's scripts have run then."""
        self.page.get_by_role("button", name="برداشتن درخواست").click()
        expect(self.page.locator("#done")).to_be_visible()
        self.page.wait_for_load_state()

    def answer(self, text: str) -> None:
        """Answer the case, which must be taken."""
        self.page.get_by_label("پاسخ شما").fill(text)
        self.page.get_by_role("button", name="ارسال پاسخ").click()
        expect(self.page.locator("#done")).to_contain_text("پاسخ ثبت شد")
