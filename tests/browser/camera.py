"""Looks at a page as it stands: pictures at each width and in the dark, nothing beside the screen, axe-core content.

The pictures lie in ``tests/pictures/``, which git ignores.
"""

from pathlib import Path

from browser.axe import violations
from playwright.sync_api import Page

PICTURES = Path(__file__).parents[1] / "pictures"
WIDTHS = {"wide": 1280, "768": 768, "320": 320}
HEIGHTS = {"wide": 900, "768": 1024, "320": 640}

_BESIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def nothing_is_beside(page: Page, name: str) -> None:
    """Expect that nothing lies beside the screen: a page is read by scrolling down alone."""
    assert page.evaluate(_BESIDE) == 0, f"{name}: something lies beside the screen"


class Camera:
    """Looks at the page it is given."""

    def __init__(self, page: Page, *, scripts: bool = True) -> None:
        """``scripts``: whether they are on in this page; axe-core is one, and is let run for as long as it takes."""
        self.page = page
        self._scripts = scripts
        PICTURES.mkdir(exist_ok=True)

    def take(self, name: str, *, whole: bool = True) -> None:
        """``whole``: pictures of the page to its end, not just of what is seen."""
        for label, width in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": HEIGHTS[label]})
            self._shoot(f"{name}-{label}", whole=whole)
            nothing_is_beside(self.page, f"{name} at {width} px")
        broken = self._examine(colours_only=False)
        self.page.emulate_media(color_scheme="dark")
        self._shoot(f"{name}-dark", whole=whole)
        broken += [f"in the dark: {each}" for each in self._examine(colours_only=True)]
        self.page.emulate_media(color_scheme="light")
        assert broken == [], f"{name}:\n" + "\n".join(broken)

    def _examine(self, *, colours_only: bool) -> list[str]:
        if self._scripts:
            return violations(self.page, colours_only=colours_only)
        session = self.page.context.new_cdp_session(self.page)
        session.send("Emulation.setScriptExecutionDisabled", {"value": False})
        found = violations(self.page, colours_only=colours_only)
        session.send("Emulation.setScriptExecutionDisabled", {"value": True})
        session.detach()
        return found

    def _shoot(self, name: str, *, whole: bool) -> None:
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
