"""Editing the texts of SMS and email: their validation, the version in force, and what a version looks like."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from pydantic import ValidationError

from desk.chassis.problem import FieldError
from desk.database import Database, DatabaseSession
from desk.iran.digits import fold
from desk.notifier.domain import (
    PLACES,
    VALUE_NAMES,
    ChannelName,
    EmailText,
    Place,
    SmsText,
    Texts,
    TextsInvalidError,
    faults_of,
    is_gsm,
    kept_placeholders,
    max_parts,
    name_of,
    numbered,
    paragraph_placeholders,
    placeholders_of,
    sms_parts,
    sms_placeholders,
    subject_placeholders,
)
from desk.notifier.rendering import Renderer, Values, first_texts
from desk.notifier.rendering.examples import longest, longest_of, typical
from desk.notifier.store import text_tables
from desk.versions.current import CurrentVersions
from desk.versions.kinds import Kind
from desk.versions.store import VersionStore

log = structlog.get_logger(__name__)


class TextKind(Kind[Texts]):
    """The texts as a document in versions."""

    name = "text"
    tables = text_tables

    def first(self) -> Texts:
        """Return the texts of the package."""
        return first_texts()

    def stored(self, text: str) -> Texts:
        """Read texts that were stored.

        A text has that of the package if this release cannot send it: the notice is new, its email has other
        paragraphs, or a placeholder has no value here.
        """
        document, first = json.loads(text), first_texts()
        return Texts.of({place: _stored(document, place) or first.at(place) for place in PLACES})

    async def checked(self, store: VersionStore[Texts], content: object, based_on: int) -> Texts:  # noqa: ARG002
        """Return content as texts with their numbers. Raises TextsInvalidError, with a sentence for each fault."""
        try:
            document = Texts.model_validate(content)
            texts = Texts.of({place: _folded(text) for place, text in document.items()})
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            raise TextsInvalidError(
                [_unreadable(".".join(map(str, each["loc"])) or "content", each["msg"]) for each in faults]
            ) from None
        except KeyError as missing:
            raise TextsInvalidError([_unreadable("content", f"missing: {missing}")]) from None
        if found := faults_of(texts, first_texts(), longest_of):
            raise TextsInvalidError(found)
        return numbered(texts, [*await store.contents(), first_texts()])


def _unreadable(place: str, rule: str) -> FieldError:
    return FieldError(place, "texts_unreadable", f"این بخش درست نیست: {rule}")


def _stored(document: Mapping[str, Mapping[str, Mapping[str, object]]], place: Place) -> SmsText | EmailText | None:
    found = document.get(place.language, {}).get(place.template, {}).get(place.channel)
    if found is None:
        return None
    text = (SmsText if place.channel is ChannelName.SMS else EmailText).model_validate(found)
    known = VALUE_NAMES[place.template]
    is_sendable = all(known.issuperset(placeholders_of(each)) for each in text.words)
    if isinstance(text, EmailText):
        slots = len(first_texts().email(place.template, place.language).paragraphs)
        is_sendable = is_sendable and len(text.paragraphs) == slots
    return text if is_sendable else None


def _folded(text: SmsText | EmailText) -> SmsText | EmailText:
    if isinstance(text, SmsText):
        return text.model_copy(update={"text": fold(text.text)})
    return text.model_copy(
        update={"subject": fold(text.subject), "paragraphs": tuple(fold(each) for each in text.paragraphs)}
    )


class CurrentTexts(CurrentVersions[Texts, Texts]):
    """The texts in force."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, TextKind())

    async def require_loaded(self, session: DatabaseSession | None = None) -> None:
        """Read the texts before the first message of this replica; those that cannot be read never stop a message.

        Raises what the database raises.
        """
        try:
            await super().require_loaded(session)
        except ValueError as error:
            log.error("the texts in force are not readable", error=type(error).__name__)  # noqa: TRY400 - no text

    def compose(self, number: int, content: Texts, now: object) -> Texts:  # noqa: ARG002 - a version has no times in it
        """Return the texts as they are."""
        return content


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text with values; ``subject`` and ``html`` are None for an SMS, ``parts`` and ``characters`` 0 for an email."""

    subject: str | None
    text: str
    html: str | None
    parts: int
    characters: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A text with typical and with the longest values, and what its writer must know."""

    place: Place
    name: str
    changed: bool
    """Whether it differs from the text in force."""
    placeholders: list[str]
    subject_placeholders: list[str]
    required: list[str]
    typical: Rendered
    longest: Rendered
    parts_max: int
    alphabet: Literal["gsm", "ucs2", ""]
    """``gsm`` or ``ucs2`` with the longest values, empty for an email."""
    unregistered: list[str]
    """The SMS providers that store the text in force but not this one: they send it as an ordinary SMS."""


@dataclass(frozen=True, slots=True)
class Previews:
    """Shows what a version or a draft looks like."""

    renderer: Renderer
    current: CurrentTexts
    registered: Mapping[str, Collection[str]]
    """The names of the texts that each SMS provider stores."""

    def of(self, texts: Texts) -> Iterator[Preview]:
        """Return a preview of each text."""
        return (self._preview(place, texts) for place in PLACES)

    def _preview(self, place: Place, texts: Texts) -> Preview:
        text, now, is_sms = texts.at(place), self.current.get().at(place), place.channel is ChannelName.SMS
        name, name_now = name_of(place, text.number), name_of(place, now.number)
        with_longest = self._rendered(place, longest(place.template, place.language), texts)
        return Preview(
            place=place,
            name=name,
            changed=text.words != now.words,
            placeholders=sms_placeholders(place.template) if is_sms else paragraph_placeholders(place.template),
            subject_placeholders=[] if is_sms else subject_placeholders(place.template),
            required=kept_placeholders(place, first_texts()),
            typical=self._rendered(place, typical(place.template, place.language), texts),
            longest=with_longest,
            parts_max=max_parts(place.template) if is_sms else 0,
            alphabet=("gsm" if is_gsm(with_longest.text) else "ucs2") if is_sms else "",
            unregistered=[each for each, names in self.registered.items() if name_now in names and name not in names],
        )

    def _rendered(self, place: Place, values: Values, texts: Texts) -> Rendered:
        if place.channel is ChannelName.SMS:
            text = self.renderer.sms(place.template, place.language, values, texts).text
            return Rendered(None, text, None, sms_parts(text), len(text))
        email = self.renderer.email(place.template, place.language, values, texts)
        return Rendered(email.subject, email.text, email.html, 0, 0)
