"""A real Chromium for the pages of the desk, and a recorder of their requests and errors."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.pages import TIMEOUT_MS, SendPage
from browser.watch import Watch
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from support.embedded_desk import RunningDesk

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The shell comes first: it has no window, and an applicant's page takes a seventh of Chromium's CPU time."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = "Chromium is not installed; install Debian's package `chromium-headless-shell` to run the browser tests"

expect.set_options(timeout=TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of Debian's Chromium, or of another one. Without it the tests are skipped; in CI they fail."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(MISSING, pytrace=False)
    return found or pytest.skip(MISSING)


# Playwright's event loop runs as long as Playwright, and prevents asynchronous tests.
# It must end before other folders' tests; pytest has no scope for a folder, so the scope is the module.
@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def resting_desk(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A desk for browser tests only: wrong identities are counted by source, and other tests try some too."""
    subprocess.run([ROOT / "gateway" / "install"], check=True)  # noqa: S603 - our own script; else old bundles would be tested
    running = RunningDesk(tmp_path_factory.mktemp("browser") / "data")
    running.rest()
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture
def open_page(chromium: Browser, desk: RunningDesk) -> Iterator[Callable[..., Page]]:
    """Open pages as separate applicants. Fails if one of them used another host or met an error."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_one(width: int = 1280, height: int = 900, **options: object) -> Page:
        context = chromium.new_context(
            base_url=desk.url,
            viewport={"width": width, "height": height},
            locale="fa-IR",
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(TIMEOUT_MS)
        opened.append((context, Watch(context, desk.url)))
        page = context.new_page()
        page.on("filechooser", lambda _: None)  # without it no chooser is caught before expect_file_chooser is set up
        return page

    yield open_one
    for context, watch in opened:
        context.close()
        assert watch.strangers == []
        assert watch.faults == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """The page of one applicant."""
    return open_page()


@pytest.fixture
def send(page: Page) -> SendPage:
    """The form for requests, open for one applicant."""
    return SendPage(page).open()


@pytest.fixture
def watch(page: Page, desk: RunningDesk) -> Watch:
    """A recorder of the requests of this applicant's page from now on."""
    return Watch(page.context, desk.url)
