"""The templates: versioned files of words, filled with what an event says.

``templates/<language>/<notice>.<channel>.v<number>.txt``; the highest number is what is sent now. A file that was sent
once is not changed: its words get the next number, so that a message's row tells what its recipient has read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, meta

from desk.notifier.domain import ChannelName, Language, Template
from desk.notifier.words import Words

_NAME = re.compile(r"(?P<language>[a-z]+)/(?P<template>[a-z_]+)\.(?P<channel>[a-z]+)\.v(?P<version>[1-9][0-9]*)\.txt")


@dataclass(frozen=True, slots=True)
class Wording:
    """One file of words."""

    language: Language
    template: Template
    channel: ChannelName
    version: int

    @property
    def name(self) -> str:
        """What a row and the settings call it: ``fa/submitted.sms.v1``."""
        return f"{self.language}/{self.template}.{self.channel}.v{self.version}"


@dataclass(frozen=True, slots=True)
class Sms:
    """A rendered SMS; ``values`` is what fills it, for a provider that keeps its words."""

    wording: str
    text: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Email:
    """A rendered email: plain text and HTML are made from one file and say the same."""

    wording: str
    subject: str
    text: str
    html: str


class Renderer:
    """Fills the templates. HTML is escaped, and a word a template misses is an error, not a gap."""

    def __init__(self, desk_url: str) -> None:
        """``desk_url`` is the address of the desk's home page. Raises ValueError if a notice has no words."""
        self._loader = PackageLoader("desk.notifier")
        self._plain, self._html = _environment(self._loader, html=False), _environment(self._loader, html=True)
        for each in (self._plain, self._html):
            each.globals["desk_url"] = desk_url
        newest: dict[tuple[Language, Template, ChannelName], Wording] = {}
        for wording in sorted(self.wordings(), key=lambda each: each.version):
            newest[wording.language, wording.template, wording.channel] = wording
        every = {(each, template, channel) for each in Language for template in Template for channel in ChannelName}
        if missing := sorted(every - newest.keys()):
            raise ValueError(f"no words for {', '.join('/'.join(each) for each in missing)}")
        self._newest = newest

    def wordings(self) -> Iterator[Wording]:
        """List every file of words, old versions too."""
        for name in self._plain.list_templates():
            if found := _NAME.fullmatch(name):
                yield Wording(
                    Language(found["language"]),
                    Template(found["template"]),
                    ChannelName(found["channel"]),
                    int(found["version"]),
                )

    def placeholders(self, wording: Wording) -> set[str]:
        """Name what a file wants to be filled with."""
        source, _, _ = self._loader.get_source(self._plain, f"{wording.name}.txt")
        return meta.find_undeclared_variables(self._plain.parse(source)) - {"frame", "parts", "say", "desk_url"}

    def sms(self, template: Template, language: Language, words: Words) -> Sms:
        """Render the short text."""
        wording = self._newest[language, template, ChannelName.SMS]
        values = {name: str(words[name]) for name in sorted(self.placeholders(wording))}
        return Sms(wording.name, self.fill(wording, words), values)

    def email(self, template: Template, language: Language, words: Words) -> Email:
        """Render the three parts of an email."""
        wording = self._newest[language, template, ChannelName.EMAIL]
        subject, _, text = self.fill(wording, words).partition("\n")
        return Email(wording.name, subject, text.strip(), self.fill(wording, words, html=True))

    def fill(self, wording: Wording, words: Words, *, html: bool = False) -> str:
        """Render one file; an email as plain text begins with its subject line."""
        kind = "html" if html else "txt"
        around = {"frame": f"{wording.language}/frame.{kind}", "parts": f"parts.{kind}"}
        environment = self._html if html else self._plain
        return environment.get_template(f"{wording.name}.txt").render(words | around).strip()


def _environment(loader: PackageLoader, *, html: bool) -> Environment:
    return Environment(
        loader=loader,
        autoescape=html,  # noqa: S701 - plain text has no markup to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
