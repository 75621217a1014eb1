"""Editing the texts of the desk's SMS and email, by headquarters."""

from desk.expert.errors import TextsRefusedError
from desk.expert.versions import DocumentDrafts, Read


class Placeholder(Read):
    """A placeholder that a text may have, such as ``code`` for ``{{ code }}``, and what it stands for."""

    name: str
    title: str


class RenderedText(Read):
    """A text with values; ``subject`` and ``html`` are None for an SMS, ``parts`` and ``characters`` 0 for an email."""

    subject: str | None
    text: str
    html: str | None = None
    parts: int
    characters: int


class TextPreview(Read):
    """A text with typical and with the longest values.

    ``name`` is its name in the settings of SMS providers; ``unregistered`` are providers that store the text in force
    but not this one. ``parts_max`` is the largest number of parts of an SMS, 0 for an email.
    """

    language: str
    notice: str
    channel: str
    name: str
    changed: bool
    placeholders: list[Placeholder]
    subject_placeholders: list[Placeholder]
    required: list[str]
    typical: RenderedText
    longest: RenderedText
    parts_max: int
    alphabet: str
    unregistered: list[str]


class TextDrafts(DocumentDrafts):
    """A client of the desk's routes for versions of the texts. Raises TextsRefusedError.

    The content of a draft has ``fa`` and ``en``, each with the notices, each with ``sms`` and ``email``.
    """

    audience, path, refused = "desk.texts", "/api/office/texts", TextsRefusedError

    async def preview(self, person: str, draft_id: str) -> list[TextPreview]:
        """Return every text of a draft as an applicant would read it."""
        return await self._ask(person, "GET", f"/drafts/{draft_id}/preview", list[TextPreview])
