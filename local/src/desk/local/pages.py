"""The public pages, made from ``gateway/pages`` and the catalogues of words: one file per page and language.

They are written to ``gateway/web/<language>`` by ``make contracts`` and held to their sources by ``make lint``.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from desk.local.gateway_table import GATEWAY, LANGUAGES
from desk.local.words import FIRST, catalogues, scripts

WEB = GATEWAY / "web"
SCRIPTS = WEB / "assets" / "js"
PAGES = ("home", "send", "track", "help", "verify", "accessibility", "privacy")
PROSE = ("accessibility", "privacy")
"""Pages of nothing but headings and text, which share a template."""
_IMPORT = re.compile(r'^(?:import|export)[^;]*?from "\./([^"]+)"', re.MULTILINE)


def documents() -> dict[Path, str]:
    """Give every generated file by its path."""
    made = {SCRIPTS / name: text for name, text in scripts().items()}
    for language in LANGUAGES:
        folder = WEB / language
        made |= {folder / f"{'index' if name == 'home' else name}.html": _page(language, name) for name in PAGES}
        for name in catalogues()[FIRST]["errors"]:
            made[folder / "errors" / f"{name}.html"] = _page(language, name, error=True)
    return made


def strays() -> list[Path]:
    """Name what lies in the folders of the languages and is not made any more."""
    made = documents()
    return sorted(path for each in LANGUAGES for path in (WEB / each).rglob("*.html") if path not in made)


def _page(language: str, name: str, *, error: bool = False) -> str:
    words = catalogues()[language]
    source = "error" if error else "prose" if name in PROSE else name
    template = _templates().get_template(f"{source}.html")
    return template.render(
        language=language,
        site_dir=words["direction"],
        site=words["site"],
        script=words["script"],
        say=words["errors"][name] if error else words[name],
        name=name,
        others=[
            {"key": each, "name": catalogues()[each]["site"]["language_name"]} for each in LANGUAGES if each != language
        ],
        modules_of=lambda entry: sorted(_modules(f"{entry}.js", language)),
    )


def _templates() -> Environment:
    # The catalogues are ours, and their words may hold markup.
    return Environment(
        loader=FileSystemLoader(GATEWAY / "pages"),
        autoescape=False,  # noqa: S701 - nothing that anybody types gets into these pages
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _modules(entry: str, language: str) -> set[str]:
    """Everything that a script imports, and what that imports, with the words of the page's language."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        for name in _imported(waiting.pop(), language):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _imported(module: str, language: str) -> Iterator[str]:
    if module == "words.js":
        yield f"words.{language}.js"
    made = scripts()
    text = made[module] if module in made else (SCRIPTS / module).read_text(encoding="utf-8")
    yield from (match[1] for match in _IMPORT.finditer(text))
