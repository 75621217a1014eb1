"""Keyboard only: every control is reachable, and the focus is always visible."""

from browser.pages import FILES, MOBILE, SendPage, day_of, living
from playwright.sync_api import Page, expect
from support.embedded_desk import CAPTCHA_ANSWER, RunningDesk

from desk.iran.digits import to_persian

STOPS_AT_MOST = 60

# A file picker shows its focus on its label, a card on the whole card. Between the last stop and the first one
# the browser itself has the focus.
STOP = """selector => {
  const element = document.activeElement;
  if (element === null || element === document.body) return { seen: true, reached: false, html: "" };
  const outlined = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const places = [element, ...(element.labels ?? [])];
  return {
    seen: places.some((place) => outlined(getComputedStyle(place)) || outlined(getComputedStyle(place, "::after"))),
    reached: element.matches(selector),
    html: element.outerHTML,
  };
}"""


class Keyboard:
    """Moves from stop to stop, and checks that each focus is visible."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press = page.keyboard.press

    def tab_to(self, selector: str) -> None:
        """Press Tab until an element has the focus."""
        self.page.wait_for_load_state()  # before its stylesheet is there, a page shows the browser's own thin outline
        for _ in range(STOPS_AT_MOST):
            self.press("Tab")
            stop = self.page.evaluate(STOP, selector)
            assert stop["seen"], f"the focus is not visible: {stop['html']}"
            if stop["reached"]:
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    def choose(self, selector: str, value: str) -> None:
        """Move to a list and down to a value."""
        self.tab_to(selector)
        self.press("Home")
        chosen = self.page.locator(selector)
        for _ in range(chosen.locator("option").count()):
            if chosen.input_value() == value:
                return
            self.press("ArrowDown")
        expect(chosen).to_have_value(value)

    def type(self, selector: str, text: str) -> None:
        """Move to a field and type."""
        self.tab_to(selector)
        self.page.keyboard.type(text)


def test_a_request_is_sent_by_keyboard_only(page: Page, desk: RunningDesk):
    person = living(desk.client, 20)
    keys = Keyboard(page)
    page.goto("/")
    keys.tab_to("main a[href='/send']")
    keys.press("Enter")
    send = SendPage(page).loaded()

    pick_birth_date(keys, person)
    keys.type("#national_id", to_persian(person["national_id"]))
    keys.type("#province_search", "اصفه")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator("#province")).to_have_value("isfahan")
    send.has_read(person)
    keys.type("#mobile", MOBILE)
    keys.choose("#subject", "umrah")
    keys.choose("#sub_subject", "umrah_visa")
    keys.type("#text", "متن درخواست، نوشته با صفحه‌کلید.")
    keys.tab_to("#attachments")
    expect(page.locator("#attachments")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        keys.press("Space")
    chooser.value.set_files(list(FILES))
    send.files_are_uploaded()
    keys.type("#captcha_answer", CAPTCHA_ANSWER)
    keys.tab_to("#submit")
    keys.press("Enter")

    send.received_code()
    expect(page.locator("#success_title")).to_be_focused()
    keys.tab_to("#copy_code")
    keys.tab_to("#print_receipt")


def pick_birth_date(keys: Keyboard, person):
    """Open the calendar, choose year and month from their lists, and move to the day with the arrow keys."""
    year, month, day = day_of(person)
    page = keys.page
    keys.tab_to("#open_calendar")
    keys.press("Enter")
    expect(page.locator("#calendar")).to_be_visible()
    keys.choose("#calendar_year", year)
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#calendar_month")).to_be_focused()
    steps = int(month) - int(page.locator("#calendar_month").input_value())
    for _ in range(abs(steps)):
        keys.press("ArrowDown" if steps > 0 else "ArrowUp")
    keys.tab_to("#calendar td[tabindex='0']")
    here = page.locator("#calendar td:focus")
    while (steps := int(day) - int((here.get_attribute("data-date") or "").split("-")[2])) != 0:
        # right to left: the next day is on the left
        keys.press({7: "ArrowDown", 1: "ArrowLeft", -1: "ArrowRight", -7: "ArrowUp"}[stride(steps)])
    keys.press("Enter")
    expect(page.locator("#calendar")).to_be_hidden()
    expect(page.locator("#open_calendar")).to_be_focused()
    expect(page.locator("#birth_year")).to_have_value(to_persian(year))


def stride(steps: int) -> int:
    """Weeks first, then days."""
    size = 7 if abs(steps) >= 7 else 1
    return size if steps > 0 else -size


def test_escape_closes_the_calendar_and_returns_the_focus(page: Page):
    SendPage(page).open()
    opener = page.get_by_role("button", name="تقویم")
    opener.press("Enter")
    calendar = page.get_by_role("dialog")
    expect(calendar.locator("td:focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(calendar).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_first_stop_of_every_page_skips_its_header(page: Page):
    for path in ("/", "/send", "/track", "/help", "/no-such-page", "/demo/expert"):
        page.goto(path)
        page.keyboard.press("Tab")
        expect(page.locator(".skip-link")).to_be_focused()
        expect(page.locator(".skip-link")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
