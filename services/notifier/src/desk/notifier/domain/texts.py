"""The texts of all notices in both languages: one document, which headquarters changes in versions."""

from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from desk.notifier.domain.notices import CHANNELS, ChannelName, Language, Template

Number = Annotated[int, Field(ge=1, le=1_000_000)]
"""The number of a text in its name, such as 3 in ``fa/submitted.sms.v3``: the same text always has the same one."""


class Part(BaseModel):
    """A part of the document, which never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SmsText(Part):
    """The whole text of an SMS."""

    number: Number
    text: Annotated[str, Field(max_length=600)]

    @property
    def words(self) -> tuple[str, ...]:
        """All that people write of it."""
        return (self.text,)


class EmailText(Part):
    """The subject of an email, and the paragraphs around its fixed parts; an empty line begins another paragraph."""

    number: Number
    subject: Annotated[str, Field(max_length=120)]
    paragraphs: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=8)]

    @property
    def words(self) -> tuple[str, ...]:
        """All that people write of it."""
        return (self.subject, *self.paragraphs)


class NoticeTexts(Part):
    """The texts of a notice in one language; a code is sent by SMS only."""

    sms: SmsText
    email: EmailText | None = None


class Place(NamedTuple):
    """Where a text is in the document."""

    language: Language
    template: Template
    channel: ChannelName

    @property
    def path(self) -> str:
        """Return the place as in the differences of two versions, such as ``fa.submitted.sms``."""
        return f"{self.language}.{self.template}.{self.channel}"


PLACES = tuple(
    Place(language, template, channel)
    for language in Language
    for template in Template
    for channel in CHANNELS[template]
)
"""The places of all texts."""


class Texts(Part):
    """All texts."""

    fa: Mapping[Template, NoticeTexts]
    en: Mapping[Template, NoticeTexts]

    def sms(self, template: Template, language: Language) -> SmsText:
        """Return the text of an SMS."""
        return self._of(language)[template].sms

    def email(self, template: Template, language: Language) -> EmailText:
        """Return the text of an email. Raises KeyError for a notice that is sent by SMS only."""
        found = self._of(language)[template].email
        if found is None:
            raise KeyError(template)
        return found

    def at(self, place: Place) -> SmsText | EmailText:
        """Return the text at a place. Raises KeyError."""
        language, template, channel = place
        return self.sms(template, language) if channel is ChannelName.SMS else self.email(template, language)

    def items(self) -> Iterator[tuple[Place, SmsText | EmailText]]:
        """Return every text with its place."""
        return ((place, self.at(place)) for place in PLACES)

    def _of(self, language: Language) -> Mapping[Template, NoticeTexts]:
        return self.fa if language is Language.FA else self.en

    @classmethod
    def of(cls, texts: Mapping[Place, SmsText | EmailText]) -> "Texts":
        """Return the document of all texts. Raises KeyError if one is missing."""
        document: dict[str, dict[str, dict[str, object]]] = {language: {} for language in Language}
        for place in PLACES:
            document[place.language].setdefault(place.template, {})[place.channel] = texts[place].model_dump()
        return cls.model_validate(document)


def name_of(place: Place, number: int) -> str:
    """Return the name of a text in a message's row and in the settings, such as ``fa/submitted.sms.v1``."""
    return f"{place.language}/{place.template}.{place.channel}.v{number}"


def numbered(texts: Texts, earlier: list[Texts]) -> Texts:
    """Give each text its number: that under which the same text was used before, or else the next one.

    ``earlier`` are all versions there have been, and then the texts of the package. A provider may have stored the text
    of a name, so a name is never used for another text: if a later package has other words under the number of a
    version, these words get the next number.
    """
    result: dict[Place, SmsText | EmailText] = {}
    for place, text in texts.items():
        names: dict[int, tuple[str, ...]] = {}
        for each in earlier:
            names.setdefault(each.at(place).number, each.at(place).words)
        used = {words: number for number, words in names.items()}
        number = used.get(text.words) or max(names, default=0) + 1
        result[place] = text.model_copy(update={"number": number})
    return Texts.of(result)
