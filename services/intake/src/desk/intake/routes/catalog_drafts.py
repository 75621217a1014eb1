"""Versions and drafts of the catalogue, for the people of headquarters and their programs."""

from pydantic import BaseModel

from desk.intake.domain import Catalog, CatalogInvalidError
from desk.versions import forms
from desk.versions.forms import ChangeView
from desk.versions.routes import Views, version_routes

CONTENT_BYTES_MAX = 1024 * 1024
BODY_LIMITS = {"/api/office/catalog/drafts": CONTENT_BYTES_MAX}


class ContentView(BaseModel):
    """The content of a version."""

    number: int
    content: Catalog


class DraftView(forms.DraftView):
    """A draft; ``revision`` changes with each change of it. ``preview`` is a part of the address of its preview."""

    preview: str


class OpenDraftView(DraftView):
    """A draft with its content and its differences."""

    content: Catalog
    changes: list[ChangeView]


router = version_routes(
    "/api/office/catalog", "the catalogue", Views(ContentView, DraftView, OpenDraftView), CatalogInvalidError
)
