"""``docs/offices.md`` as a page in each language, linked from the contract."""

import re

from markdown_it import MarkdownIt

from desk.contracts.pages import render
from desk.local.gateway_table import CHECKOUT

SOURCE = CHECKOUT / "docs" / "offices.md"
_PERSIAN = re.compile(r"<div dir=\"rtl\">\n(.*)</div>", re.DOTALL)
_FILE_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)[^)]*\)")


def page(language: str) -> str:
    """Render the part of the document in this language. Raises ValueError if it has no Persian part."""
    text = SOURCE.read_text(encoding="utf-8")
    persian = _PERSIAN.search(text)
    if persian is None:
        raise ValueError(f"{SOURCE} has no Persian part")
    part = persian[1] if language == "fa" else text[: persian.start()]
    body = _FILE_LINK.sub(_without_link, part)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    return render(language, "offices", "offices", parts=re.split("(?=<h2>)", _left_to_right(html)))


def _without_link(match: re.Match[str]) -> str:
    """Return the text of a link to a file of the repository, which the desk does not serve; none for the language."""
    return "" if "#" in match[0] else f"`{match[1]}`"


def _left_to_right(html: str) -> str:
    return html.replace("<pre>", '<pre dir="ltr" tabindex="0">').replace("<code", '<code dir="ltr"')
