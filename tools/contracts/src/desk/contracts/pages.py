"""The public pages, generated from ``gateway/pages`` and the catalogues: one file per page and language.

``make contracts`` writes them to ``gateway/web/<language>``; ``make lint`` compares them with their sources.
"""

from collections.abc import Collection
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from desk.contracts.catalogues import FIRST, catalogues, scripts
from desk.local.gateway_table import GATEWAY, LANGUAGES

WEB = GATEWAY / "web"
SCRIPTS = WEB / "assets" / "js"
PAGES = ("home", "send", "track", "my-requests", "help", "verify", "figures", "accessibility", "privacy")
PROSE = ("accessibility", "privacy")
"""Pages that contain only headings and text, and share a template."""


def documents() -> dict[Path, str]:
    """Return every file that is generated from texts, by its path."""
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
    """Return files in the folders of the languages that are no longer generated."""
    return sorted(path for each in LANGUAGES for path in (WEB / each).rglob("*.html") if path not in made)


def render(language: str, template: str, name: str, **values: object) -> str:
    """Render a page: a template with the texts of ``name`` in the language's catalogue, and additional values."""
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
    # The catalogues belong to the project, and their texts may contain markup.
    return Environment(
        loader=FileSystemLoader(GATEWAY / "pages"),
        autoescape=False,  # noqa: S701  # nosec B701 - no user input gets into these pages
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
