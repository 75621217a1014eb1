"""The components on their own page: the searchable list, the calendar with every key, the colour schemes."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from desk.iran.digits import to_persian

VECTORS = Path(__file__).parents[2] / "gateway" / "tests" / "vectors" / "jalali-vectors.json"

# The module that the pages use, compared with the calendar of the browser.
AGAINST_INTL = Path(__file__).with_name("against_intl.js").read_text(encoding="utf-8")
WATCH_SHIFTS = """window.shift = 0;
const watch = new PerformanceObserver(list => list.getEntries().forEach(each => { window.shift += each.value; }));
watch.observe({ type: 'layout-shift', buffered: true });"""
FONT_IS_THERE = "document.fonts.status === 'loaded' && [...document.fonts].some(font => font.status === 'loaded')"


@pytest.fixture
def kit(page: Page) -> Page:
    page.goto("/demo/kit")
    searchable(page)
    return page


def searchable(kit: Page) -> None:
    """Wait for the searchable list; until then the plain list has its name and role."""
    expect(kit.locator("#kit_province_search")).to_be_visible()


def province(kit: Page) -> Locator:
    return kit.get_by_role("combobox", name="استان", exact=True)


def options(kit: Page) -> Locator:
    return kit.locator("#kit_province_list [role=option]")


def chosen(kit: Page) -> str:
    return kit.locator("#kit_province").input_value()


@pytest.mark.parametrize("typed", ["اصفها", "اصفهان", "isfa", "031", "۰۳۱"])
def test_a_province_is_found_by_its_name_its_english_name_and_its_area_code(kit: Page, typed: str):
    province(kit).fill(typed)
    expect(options(kit)).to_have_count(1)
    expect(kit.locator("#kit_province_search ~ [role=status]")).to_contain_text("۱ مورد")
    province(kit).press("Enter")
    expect(province(kit)).to_have_value("اصفهان")
    expect(province(kit)).to_have_attribute("aria-expanded", "false")
    assert chosen(kit) == "isfahan"


def test_every_key_of_the_list(kit: Page):
    field = province(kit)
    field.focus()
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press("ArrowDown")
    expect(options(kit)).to_have_count(31)
    reached(kit, "آذربایجان شرقی")
    for key, name in (
        ("End", "یزد"),
        ("ArrowDown", "آذربایجان شرقی"),
        ("ArrowUp", "یزد"),
        ("Home", "آذربایجان شرقی"),
        ("ArrowDown", "آذربایجان غربی"),
    ):
        field.press(key)
        reached(kit, name)
    field.press("Escape")
    expect(options(kit).first).to_be_hidden()
    assert chosen(kit) == ""
    field.press("Alt+ArrowDown")
    expect(options(kit).first).to_be_visible()
    field.press("ArrowDown")
    field.press("Tab")
    expect(options(kit).first).to_be_hidden()
    assert chosen(kit) == "east-azerbaijan"


def reached(kit: Page, name: str) -> None:
    """Check that the arrows have reached this option, for sighted users and screen readers."""
    option = kit.locator("#kit_province_list [aria-selected=true]")
    expect(option).to_have_text(name)
    expect(option).to_be_in_viewport()
    identifier = option.get_attribute("id")
    assert identifier
    expect(province(kit)).to_have_attribute("aria-activedescendant", identifier)


def test_an_incomplete_name_is_no_choice_and_the_page_says_so(kit: Page):
    field = province(kit)
    field.fill("فارس")
    assert chosen(kit) == "fars"
    field.fill("خراسان")
    assert chosen(kit) == ""
    expect(options(kit)).to_have_count(3)
    field.blur()
    expect(field).to_have_value("خراسان")
    assert chosen(kit) == ""
    field.fill("تورنتو")
    expect(options(kit)).to_have_count(0)
    expect(kit.get_by_text("چیزی با این نام پیدا نشد")).to_be_visible()


def test_a_touch_chooses_from_the_list(open_page: Callable[..., Page]):
    page = open_page(width=320, height=568, has_touch=True, is_mobile=True)
    page.goto("/demo/kit")
    searchable(page)
    province(page).tap()
    expect(options(page)).to_have_count(31)
    box = page.locator("#kit_province_list").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    height = options(page).nth(3).bounding_box()
    assert height
    assert height["height"] >= 44
    options(page).filter(has_text="گیلان").tap()
    expect(province(page)).to_have_value("گیلان")
    assert chosen(page) == "gilan"


def test_a_disabled_list_is_disabled_and_the_select_works_without_scripts(kit: Page, open_page: Callable[..., Page]):
    expect(kit.get_by_role("combobox", name="استان، غیرفعال")).to_be_disabled()
    plain = open_page(java_script_enabled=False)
    plain.goto("/demo/kit")
    expect(plain.locator("#kit_province")).to_be_visible()


def test_a_list_shows_its_arrow_with_forced_colours(kit: Page):
    kit.emulate_media(forced_colors="active")
    for field in (province(kit), kit.locator("select:visible").first):
        field.scroll_into_view_if_needed()
        box = field.bounding_box()
        assert box
        end = {"x": box["x"] + 4, "y": box["y"] + 6, "width": 28, "height": box["height"] - 12}
        picture = Image.open(BytesIO(kit.screenshot(clip=end))).convert("L")
        darkest, lightest = picture.getextrema()
        assert lightest - darkest > 100


# From Sunday, 1 Farvardin 1400. The page is right to left, so the next day is on the left.
KEYS = [
    ("ArrowLeft", "1400-01-02"),
    ("ArrowRight", "1400-01-01"),
    ("ArrowDown", "1400-01-08"),
    ("ArrowUp", "1400-01-01"),
    ("ArrowUp", "1399-12-24"),
    ("ArrowDown", "1400-01-01"),
    ("End", "1400-01-06"),
    ("Home", "1399-12-30"),
    ("PageDown", "1400-01-30"),
    ("PageDown", "1400-02-30"),
    ("PageUp", "1400-01-30"),
    ("Shift+PageUp", "1399-01-30"),
    ("Shift+PageDown", "1400-01-30"),
]


def test_every_key_of_the_calendar(kit: Page):
    open_calendar(kit, day="1", month="1", year="1400")
    for key, date in KEYS:
        kit.keyboard.press(key)
        expect(kit.locator("#calendar td:focus"), key).to_have_attribute("data-date", date)
    heading = kit.locator("#calendar_heading")
    expect(heading).to_have_text("فروردین ۱۴۰۰")
    kit.keyboard.press("Enter")
    expect(kit.get_by_role("dialog")).to_be_hidden()
    expect(kit.locator("#open_calendar")).to_be_focused()
    assert [kit.locator(f"#birth_{part}").input_value() for part in ("day", "month", "year")] == ["۳۰", "1", "۱۴۰۰"]


def open_calendar(kit: Page, *, day: str, month: str, year: str) -> None:
    """Type a date and open the calendar there."""
    group = kit.get_by_role("group", name="تاریخ تولد")
    group.get_by_label("روز").fill(day)
    group.get_by_label("ماه").select_option(month)
    group.get_by_label("سال").fill(year)
    kit.get_by_role("button", name="تقویم").press("Enter")
    expect(kit.get_by_role("dialog", name="انتخاب تاریخ تولد")).to_be_visible()
    expect(kit.locator("#calendar td:focus")).to_have_attribute("data-date", f"{year}-{int(month):02}-{int(day):02}")


def test_space_chooses_a_day_escape_does_not_and_the_chosen_day_is_marked(kit: Page):
    open_calendar(kit, day="12", month="7", year="1361")
    expect(kit.locator("#calendar td[aria-selected=true]")).to_have_attribute("data-date", "1361-07-12")
    kit.keyboard.press("ArrowLeft")
    kit.keyboard.press("Escape")
    expect(kit.locator("#birth_day")).to_have_value("12")
    kit.get_by_role("button", name="تقویم").press("Enter")
    kit.keyboard.press("ArrowLeft")
    kit.keyboard.press("Space")
    expect(kit.locator("#birth_day")).to_have_value("۱۳")


def test_the_calendar_reaches_from_1280_to_today(kit: Page):
    open_calendar(kit, day="1", month="1", year="1280")
    kit.keyboard.press("ArrowUp")
    expect(kit.locator("#calendar td:focus")).to_have_attribute("data-date", "1280-01-01")
    years = kit.locator("#calendar_year option")
    expect(years.last).to_have_text("۱۲۸۰")
    newest = years.first.get_attribute("value")
    assert newest
    kit.locator("#calendar_year").select_option(newest)
    expect(kit.get_by_role("button", name="امروز")).to_have_count(0)
    kit.locator("#calendar_month").select_option(index=11)
    last = kit.locator("#calendar td[aria-current=date]")
    expect(last).to_have_count(1)
    date = last.get_attribute("data-date")
    assert date
    last.click()
    expect(kit.locator("#birth_year")).to_have_value(to_persian(date[:4]))
    assert kit.locator("#calendar th .visually-hidden").all_inner_texts()[0] == "شنبه"


def test_the_calendar_agrees_with_the_browser(kit: Page):
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    found = kit.evaluate(AGAINST_INTL, [1280, 1420, vectors])
    assert found == {"days": 141 * 12 * 3, "wrong": []}


def test_the_page_shows_the_requested_colour_scheme(kit: Page):
    page_colour = "getComputedStyle(document.body).backgroundColor"
    light = kit.evaluate(page_colour)
    kit.get_by_label("تیره").check()
    dark = kit.evaluate(page_colour)
    kit.get_by_label("پررنگ").check()
    assert light == "rgb(246, 243, 237)"
    assert dark == "rgb(23, 21, 18)"
    assert kit.evaluate(page_colour) == "rgb(0, 0, 0)"


def test_kit_has_a_short_address(page: Page):
    page.goto("/kit")
    expect(page.get_by_role("heading", level=1)).to_have_text("اجزای صفحه‌ها")


def test_the_font_comes_from_the_desk_and_shifts_nothing(open_page: Callable[..., Page]):
    page = open_page(width=390, height=844)
    page.add_init_script(WATCH_SHIFTS)
    page.goto("/")
    if page.evaluate("fetch('/assets/npm/vazirmatn.woff2').then(answer => answer.status)") == 404:
        pytest.skip("the font is not installed: gateway/install could not download it")
    page.wait_for_function(FONT_IS_THERE)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shift") < 0.05
