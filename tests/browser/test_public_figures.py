"""The page with the published figures: tables and charts in both languages."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from browser.camera import Camera
from playwright.sync_api import Page, expect
from support.applicant import Applicant
from support.embedded_desk import RunningDesk, wait_for


@pytest.fixture(scope="module")
def desk(resting_desk: RunningDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk that publishes the figures of offices, with requests of a month that is over."""
    assert resting_desk.process.poll() is None
    folder = tmp_path_factory.mktemp("published") / "data"
    running = RunningDesk(folder, environment={"DESK_TRACKING_PUBLISHED_FIGURES": "offices"})
    for place in range(12):
        Applicant(running.client, place).submit(province="yazd" if place < 7 else "qom")
    wait_for(lambda: _cases_before(folder) == 12)
    yield running
    running.kill()


def _cases_before(folder) -> int:
    """Move the submissions of all cases to earlier months; return the number of cases."""
    with closing(sqlite3.connect(folder / "tracking.sqlite3", timeout=20)) as store, store:
        store.execute("UPDATE \"case\" SET submitted_at = datetime('now', '-70 days') WHERE province = 'qom'")
        store.execute("UPDATE \"case\" SET submitted_at = datetime('now', '-40 days') WHERE province = 'yazd'")
        return store.execute('SELECT count(*) FROM "case"').fetchone()[0]


@pytest.mark.parametrize(
    ("language", "office", "few"), [("fa", "یزد", "۷"), ("en", "Yazd", "7")], ids=["Persian", "English"]
)
def test_the_page_shows_tables_and_charts(open_page: Callable[..., Page], language: str, office: str, few: str):
    page = open_page()
    page.goto(f"/figures?lang={language}")
    row = page.locator("#offices tbody tr").filter(has_text=office)
    expect(row.locator("td").first).to_have_text(few)
    expect(page.locator("#months tbody tr")).to_have_count(2)
    expect(page.locator("#months_chart svg rect")).to_have_count(2)
    expect(page.locator("#offices_chart svg")).to_be_visible()
    Camera(page).take(f"figures-{language}")
