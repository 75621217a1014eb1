"""The template files of notices.

The path of a file is ``templates/<language>/<notice>.<channel>.v<number>.txt``; the highest number is sent. A file that
was in use is never changed: a new text gets the next number, so that a message's row states which text was sent.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, meta

from desk.iran.written import isolate_numbers, pieces
from desk.notifier.domain import CHANNELS, ChannelName, Language, Template
from desk.notifier.rendering.values import Values

_NAME = re.compile(r"(?P<language>[a-z]+)/(?P<template>[a-z_]+)\.(?P<channel>[a-z]+)\.v(?P<version>[1-9][0-9]*)\.txt")


@dataclass(frozen=True, slots=True)
class Wording:
    """One template file."""

    language: Language
    template: Template
    channel: ChannelName
    version: int

    @property
    def name(self) -> str:
        """The name in a message's row and in the settings, such as ``fa/submitted.sms.v1``."""
        return f"{self.language}/{self.template}.{self.channel}.v{self.version}"


@dataclass(frozen=True, slots=True)
class Sms:
    """A rendered SMS; ``values`` has the placeholders' values, for a provider that stores the template."""

    wording: str
    text: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Email:
    """A rendered email; plain text and HTML come from the same file."""

    wording: str
    subject: str
    text: str
    html: str


class Renderer:
    """Renders the template files. HTML is escaped, and a missing value is an error, not an empty string."""

    def __init__(self, public_url: str) -> None:
        """``public_url`` is the address of the desk's home page. Raises ValueError if a notice has no template file."""
        self._loader = PackageLoader("desk.notifier")
        self._plain, self._html = _environment(self._loader, html=False), _environment(self._loader, html=True)
        for each in (self._plain, self._html):
            each.globals["track_url"] = f"{public_url.rstrip('/')}/track"
        newest: dict[tuple[Language, Template, ChannelName], Wording] = {}
        for wording in sorted(self.wordings(), key=lambda each: each.version):
            newest[wording.language, wording.template, wording.channel] = wording
        required = {
            (each, template, channel) for each in Language for template in Template for channel in CHANNELS[template]
        }
        if missing := sorted(required - newest.keys()):
            raise ValueError(f"no template for {', '.join('/'.join(each) for each in missing)}")
        self._newest = newest
        self._placeholders = {each: sorted(self.placeholders(each)) for each in newest.values()}

    def wordings(self) -> Iterator[Wording]:
        """Yield every template file, old versions too."""
        for name in self._plain.list_templates():
            if found := _NAME.fullmatch(name):
                yield Wording(
                    Language(found["language"]),
                    Template(found["template"]),
                    ChannelName(found["channel"]),
                    int(found["version"]),
                )

    def placeholders(self, wording: Wording) -> set[str]:
        """Return the names of a file's placeholders."""
        source, _, _ = self._loader.get_source(self._plain, f"{wording.name}.txt")
        return meta.find_undeclared_variables(self._plain.parse(source)) - {"frame", "parts", "say", "track_url"}

    def sms(self, template: Template, language: Language, values: Values) -> Sms:
        """Render an SMS."""
        wording = self._newest[language, template, ChannelName.SMS]
        used = {name: str(values[name]) for name in self._placeholders[wording]}
        return Sms(wording.name, self.fill(wording, values), used)

    def email(self, template: Template, language: Language, values: Values) -> Email:
        """Render the subject, the plain text and the HTML of an email."""
        wording = self._newest[language, template, ChannelName.EMAIL]
        subject, _, text = self.fill(wording, values).partition("\n")
        return Email(wording.name, subject, text.strip(), self.fill(wording, values, html=True))

    def fill(self, wording: Wording, values: Values, *, html: bool = False) -> str:
        """Render one file; the plain text of an email begins with its subject line."""
        kind = "html" if html else "txt"
        layout = {"frame": f"{wording.language}/frame.{kind}", "parts": f"parts.{kind}"}
        environment = self._html if html else self._plain
        return environment.get_template(f"{wording.name}.txt").render(values | layout).strip()


def _environment(loader: PackageLoader, *, html: bool) -> Environment:
    environment = Environment(
        loader=loader,
        auto_reload=False,  # the files do not change while the service runs
        autoescape=html,  # noqa: S701  # nosec B701 - plain text has no markup to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"pieces": pieces, "isolate_numbers": isolate_numbers}
    return environment
