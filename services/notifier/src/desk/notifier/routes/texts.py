"""Versions and drafts of the texts of SMS and email, for the people of headquarters and their programs."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from desk.chassis.app import problems
from desk.notifier.domain import TITLES, ChannelName, Language, Template, Texts, TextsInvalidError
from desk.notifier.routes.dependencies import ServicesDep
from desk.notifier.service.texts import Preview
from desk.versions.callers import EDITOR_ERRORS, DraftsDep, EditorDep
from desk.versions.errors import DraftNotFoundError, VersionNotFoundError
from desk.versions.forms import ChangeView, DraftId, DraftView, Number
from desk.versions.routes import Views, version_routes

CONTENT_BYTES_MAX = 256 * 1024
BODY_LIMITS = {"/api/office/texts/drafts": CONTENT_BYTES_MAX}


class ContentView(BaseModel):
    """The texts of a version."""

    number: int
    content: Texts


class OpenDraftView(DraftView):
    """A draft with its texts and its differences."""

    content: Texts
    changes: list[ChangeView]


class PlaceholderView(BaseModel):
    """A placeholder that the text may have, and what it stands for."""

    name: str
    title: str


class RenderedView(BaseModel):
    """A text with values; ``subject`` and ``html`` are null for an SMS, ``parts`` and ``characters`` 0 for an email."""

    model_config = ConfigDict(from_attributes=True)

    subject: str | None
    text: str
    html: str | None = Field(description="The email as its recipient sees it; `text` has the same words")
    parts: int
    characters: int


class PreviewView(BaseModel):
    """A text as an applicant would read it."""

    language: Language
    notice: Template
    channel: ChannelName
    name: str = Field(description="The name in a message's row and in the settings of SMS providers")
    changed: bool = Field(description="Whether it differs from the text in force")
    placeholders: list[PlaceholderView]
    subject_placeholders: list[PlaceholderView]
    required: list[str] = Field(description="Placeholders that must stay in the text")
    typical: RenderedView
    longest: RenderedView = Field(description="With the longest values that there can be")
    parts_max: int = Field(description="The largest number of parts of the SMS; 0 for an email")
    alphabet: Literal["gsm", "ucs2", ""] = Field(description="Of an SMS: a part has 160 or 70 characters")
    unregistered: list[str] = Field(description="SMS providers that store the text in force but not this one")


router = version_routes(
    "/api/office/texts", "the texts", Views(ContentView, DraftView, OpenDraftView), TextsInvalidError
)


@router.get(
    "/versions/{number}/preview",
    summary="Show the messages of a version",
    responses=problems(*EDITOR_ERRORS, VersionNotFoundError),
)
async def preview_version(
    number: Number, _editor: EditorDep, drafts: DraftsDep, services: ServicesDep
) -> list[PreviewView]:
    """Return every text of a version with typical and with the longest values."""
    return _views(services.previews.of(await drafts.content(number)))


@router.get(
    "/drafts/{draft_id}/preview",
    summary="Show the messages of a draft",
    responses=problems(*EDITOR_ERRORS, DraftNotFoundError),
)
async def preview_draft(
    draft_id: DraftId, _editor: EditorDep, drafts: DraftsDep, services: ServicesDep
) -> list[PreviewView]:
    """Return every text of a draft with typical and with the longest values."""
    return _views(services.previews.of((await drafts.open(draft_id)).content))


def _views(previews: Iterable[Preview]) -> list[PreviewView]:
    return [_view(each) for each in previews]


def _view(preview: Preview) -> PreviewView:
    return PreviewView(
        language=preview.place.language,
        notice=preview.place.template,
        channel=preview.place.channel,
        name=preview.name,
        changed=preview.changed,
        placeholders=_titled(preview.placeholders),
        subject_placeholders=_titled(preview.subject_placeholders),
        required=preview.required,
        typical=RenderedView.model_validate(preview.typical),
        longest=RenderedView.model_validate(preview.longest),
        parts_max=preview.parts_max,
        alphabet=preview.alphabet,
        unregistered=preview.unregistered,
    )


def _titled(names: list[str]) -> list[PlaceholderView]:
    return [PlaceholderView(name=name, title=TITLES[name]) for name in names]
