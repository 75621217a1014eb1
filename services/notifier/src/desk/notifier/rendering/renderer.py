"""Renders the texts in force: those of SMS from memory, and emails in the layouts of the package."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from desk.notifier.domain import ChannelName, Language, Place, Template, Texts, fill, name_of, placeholders_of
from desk.notifier.rendering.files import first_texts, layout_environment
from desk.notifier.rendering.values import Values

_EMPTY_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Sms:
    """A rendered SMS; ``values`` has the placeholders' values, for a provider that stores the text."""

    wording: str
    text: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Email:
    """A rendered email; plain text and HTML have the same words."""

    wording: str
    subject: str
    text: str
    html: str


class Renderer:
    """Renders texts. A missing value is an error, not an empty string, and no text is read as a template."""

    def __init__(self, public_url: str, texts: Callable[[], Texts] = first_texts) -> None:
        """``public_url`` is the address of the desk's home page; ``texts`` returns those in force.

        Raises ValueError if a notice has no template file.
        """
        first_texts()
        self._texts = texts
        self._plain, self._html = layout_environment(html=False), layout_environment(html=True)
        for each in (self._plain, self._html):
            each.globals["track_url"] = f"{public_url.rstrip('/')}/track"

    def sms(self, template: Template, language: Language, values: Values, texts: Texts | None = None) -> Sms:
        """Render an SMS, of the texts in force or of others."""
        found = (texts or self._texts()).sms(template, language)
        used = {name: str(values[name]) for name in placeholders_of(found.text)}
        return Sms(name_of(Place(language, template, ChannelName.SMS), found.number), fill(found.text, used), used)

    def email(self, template: Template, language: Language, values: Values, texts: Texts | None = None) -> Email:
        """Render the subject, the plain text and the HTML of an email."""
        found = (texts or self._texts()).email(template, language)
        written = {
            "subject_line": fill(found.subject, values),
            "paragraphs": [_EMPTY_LINES.split(fill(each, values).strip()) for each in found.paragraphs],
        }
        html, plain = ((language, template, kind) for kind in ("html", "txt"))
        subject, _, text = self._render(*plain, values | written).partition("\n")
        name = name_of(Place(language, template, ChannelName.EMAIL), found.number)
        return Email(name, subject, text.strip(), self._render(*html, values | written))

    def _render(self, language: Language, template: Template, kind: str, values: Values) -> str:
        layout = {"frame": f"{language}/frame.{kind}", "parts": f"parts.{kind}"}
        environment = self._html if kind == "html" else self._plain
        return environment.get_template(f"{language}/{template}").render(values | layout).strip()
