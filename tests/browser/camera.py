"""Examines a page as it is: pictures at two widths and in dark mode, no horizontal scrolling at any width, axe-core.

The pictures are written to ``tests/pictures/``, which git ignores.
"""

import re
from pathlib import Path

from browser.axe import violations
from playwright.sync_api import Page, expect

PICTURES = Path(__file__).parents[1] / "pictures"
WIDTHS = {"wide": 1280, "768": 768, "320": 320}
HEIGHTS = {"wide": 900, "768": 1024, "320": 640}

NO_PICTURE = {"768"}
"""A width that is checked and not pictured."""
MOST_PIXELS = 6000
"""A longer page, such as the contract, is pictured so far down: drawing all of it takes seconds."""

_HEIGHT = "document.documentElement.scrollHeight"
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def check_width(page: Page, name: str) -> None:
    """Check that the page needs no horizontal scrolling."""
    assert page.evaluate(_OVERFLOW) == 0, f"{name}: the page is wider than the screen"


class Camera:
    """Takes screenshots of one page and examines it."""

    def __init__(self, page: Page, *, scripts: bool = True) -> None:
        """``scripts``: whether the page may run scripts, which axe-core needs."""
        self.page = page
        self._scripts = scripts
        PICTURES.mkdir(exist_ok=True)

    def take(self, name: str, *, whole: bool = True) -> None:
        """``whole``: take pictures of the whole page, not only of the visible part.

        A click that opens a page returns before the page has an element, so the page is loaded first. A page of the
        console that loads itself again, because a report is on its way, is examined when it no longer does.
        """
        self.page.wait_for_load_state()
        expect(self.page.locator("meta[http-equiv=refresh]")).to_have_count(0, timeout=60_000)
        for label, width in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": HEIGHTS[label]})
            if label not in NO_PICTURE:
                self._shoot(f"{name}-{label}", whole=whole)
            check_width(self.page, f"{name} at {width} px")
        self.page.emulate_media(color_scheme="dark")
        self._shoot(f"{name}-dark", whole=whole)
        self.page.emulate_media(color_scheme="light")
        broken = self._broken()
        assert broken == [], f"{name}:\n" + "\n".join(broken)

    def check_widths(self, name: str) -> None:
        """Check that the page needs no horizontal scrolling at any width."""
        for label, width in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": HEIGHTS[label]})
            check_width(self.page, f"{name} at {width} px")

    def _broken(self) -> list[str]:
        page = self.page if self._scripts else self._twin()
        found = violations(page)
        page.emulate_media(color_scheme="dark")
        found += [f"in dark mode: {each}" for each in violations(page, colours_only=True)]
        page.emulate_media(color_scheme="light")
        if page is not self.page:
            page.context.close()
        return found

    def _twin(self) -> Page:
        """Copy the page to a context where axe-core can run; the content of ``noscript`` becomes part of the page."""
        browser, size = self.page.context.browser, self.page.viewport_size
        assert browser is not None
        assert size is not None
        twin = browser.new_context(viewport=size, reduced_motion="reduce").new_page()
        html = re.sub(r"</?noscript>|<script[^>]*></script>", "", self.page.content())
        twin.route(self.page.url, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        twin.goto(self.page.url)
        return twin

    def _shoot(self, name: str, *, whole: bool) -> None:
        path, height = PICTURES / f"{name}.png", int(self.page.evaluate(_HEIGHT))
        if whole and height > MOST_PIXELS:
            size = self.page.viewport_size
            assert size is not None
            clip = {"x": 0, "y": 0, "width": size["width"], "height": MOST_PIXELS}
            self.page.screenshot(path=path, full_page=True, clip=clip)
        else:
            self.page.screenshot(path=path, full_page=whole)
