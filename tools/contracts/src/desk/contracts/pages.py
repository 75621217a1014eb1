"""The public pages, made from ``gateway/pages`` and the catalogues of words: one file per page and language.

They are written to ``gateway/web/<language>`` by ``make contracts`` and held to their sources by ``make lint``.
"""

from collections.abc import Collection
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from desk.contracts.catalogues import FIRST, catalogues, scripts
from desk.local.gateway_table import GATEWAY, LANGUAGES

WEB = GATEWAY / "web"
SCRIPTS = WEB / "assets" / "js"
PAGES = ("home", "send", "track", "help", "verify", "accessibility", "privacy")
PROSE = ("accessibility", "privacy")
"""Pages of nothing but headings and text, which share a template."""


def documents() -> dict[Path, str]:
    """Give every file that is made of words alone, by its path."""
    made = {SCRIPTS / name: text for name, text in scripts().items()}
    for language in LANGUAGES:
        folder = WEB / language
        for name in PAGES:
            template = "prose" if name in PROSE else name
            made[folder / f"{'index' if name == 'home' else name}.html"] = render(language, template, name)
        for name in catalogues()[FIRST]["errors"]:
            made[folder / "errors" / f"{name}.html"] = render(language, "error", f"errors.{name}")
    return made


def strays(made: Collection[Path]) -> list[Path]:
    """Name what lies in the folders of the languages and is not made any more."""
    return sorted(path for each in LANGUAGES for path in (WEB / each).rglob("*.html") if path not in made)


def render(language: str, template: str, name: str, **values: object) -> str:
    """Return a page: a template with the words of ``name`` in the language's catalogue, and values of its own."""
    words = catalogues()[language]
    say = words
    for step in name.split("."):
        say = say[step]
    return (
        _templates()
        .get_template(f"{template}.html")
        .render(
            language=language,
            site_dir=words["direction"],
            site=words["site"],
            script=words["script"],
            say=say,
            name=name,
            others=[
                {"key": each, "name": catalogues()[each]["site"]["language_name"]}
                for each in LANGUAGES
                if each != language
            ],
            **values,
        )
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
