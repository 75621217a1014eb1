"""The desk's figures: charts with a table, for an office and for headquarters, and a file for spreadsheets."""

import csv
import io

import pytest
from openpyxl import load_workbook
from support.console_service import figure_set

from desk.console.domain.charts import Bar, bars, to_csv
from desk.console.service.spreadsheets import Sheet, to_xlsx


@pytest.fixture
async def headquarters(console, browse):
    """The browser of an expert of headquarters; the desk has figures of two offices."""
    console.headquarters_client.figure_set = figure_set(
        ("isfahan", "اصفهان", 30, 10), ("qom", "قم", "suppressed", None)
    )
    await console.account("staff", province="headquarters")
    return await browse().sign_in("staff")


async def test_headquarters_compares_the_offices(headquarters):
    page = await headquarters.open("/figures")
    assert "آمار همهٔ اداره‌ها" in page
    offices = page.partition('id="offices"')[2]
    assert "اصفهان" in offices
    assert "پنهان" in offices
    assert "کمتر از ۵" in offices
    assert "آذر ۱۴۰۵" in page


async def test_an_office_sees_its_own_figures_and_no_comparison(console, browse):
    console.client.figure_set = figure_set(("isfahan", "اصفهان", 30, 10))
    await console.account("expert")
    page = await (await browse().sign_in("expert")).open("/figures", params={"from": "1405-01", "until": "1405-09"})
    assert "آمار استان اصفهان" in page
    assert 'id="offices"' not in page
    assert console.client.period == ("1405-01", "1405-09")


async def test_the_page_says_that_the_desk_gives_no_figures_now(console, browse):
    await console.account("expert")
    browser = await browse().sign_in("expert")
    page = await browser.open("/figures")
    assert browser.page.status_code == 503
    assert "چند دقیقهٔ دیگر دوباره تلاش کنید" in page
    await browser.open("/figures.csv")
    assert browser.page.status_code == 503


async def test_the_figures_are_a_file_for_spreadsheets(headquarters):
    await headquarters.open("/figures.csv")
    assert headquarters.page.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(headquarters.page.content.decode("utf-8-sig"))))
    assert [(row["office"], row["requests"], row["median_days"]) for row in rows] == [
        ("isfahan", "30", "10"),
        ("qom", "suppressed", ""),
    ]


async def test_the_figures_are_a_workbook_from_right_to_left(headquarters):
    await headquarters.open("/figures.xlsx")
    assert headquarters.page.headers["content-disposition"] == 'attachment; filename="figures.xlsx"'
    book = load_workbook(io.BytesIO(headquarters.page.content))
    assert book.sheetnames == ["ماه و اداره", "ماه‌ها", "اداره‌ها"]
    assert all(sheet.sheet_view.rightToLeft for sheet in book)
    offices = list(book["اداره‌ها"].values)
    assert offices[0][:2] == ("اداره", "درخواست")
    assert [row[:2] for row in offices[1:]] == [("اصفهان", 30), ("قم", "پنهان")]
    assert offices[1][3] == "کمتر از ۵"
    assert [row[:2] for row in book["ماه و اداره"].values][1:] == [("آذر 1405", "اصفهان"), ("آذر 1405", "قم")]


async def test_an_unavailable_desk_gives_no_workbook(console, browse):
    await console.account("expert")
    browser = await browse().sign_in("expert")
    await browser.open("/figures.xlsx")
    assert browser.page.status_code == 503


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "https://example.ir", "{=SUM(A1)}", "12"])
def test_a_text_of_a_workbook_stays_a_text(text):
    content = to_xlsx([Sheet("x", [text], [[text], [None], [-1.5]])], {})
    page = load_workbook(io.BytesIO(content)).active
    assert [(row[0].data_type, row[0].value) for row in page.iter_rows()] == [
        ("s", text),
        ("s", text),
        ("n", None),
        ("n", -1.5),
    ]
    assert page["A1"].hyperlink is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(text):
    [[cell]] = csv.reader(io.StringIO(to_csv([[text]]).decode("utf-8-sig"), newline=""))
    assert cell == f"'{text}"


def test_a_number_stays_a_number():
    assert to_csv([[-1, 2.5, None]]).decode("utf-8-sig") == "-1,2.5,\r\n"


def test_bars_have_the_length_of_their_share_of_the_greatest():
    assert bars([("a", 10), ("b", 5), ("c", "<5"), ("d", None), ("e", 0)]) == [
        Bar("a", 100.0, 10),
        Bar("b", 50.0, 5),
        Bar("c", 0.0, None),
        Bar("d", 0.0, None),
        Bar("e", 0.0, 0),
    ]


def test_there_are_no_bars_of_nothing():
    assert bars([]) == []
    assert bars([("a", 0)]) == [Bar("a", 0.0, 0)]
