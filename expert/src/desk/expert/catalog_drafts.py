"""Editing the desk's catalogue, by headquarters."""

from desk.expert.errors import CatalogRefusedError
from desk.expert.versions import (
    DocumentChange,
    DocumentDraft,
    DocumentDrafts,
    DocumentVersion,
    DocumentVersions,
    OpenDocumentDraft,
)

CatalogVersion, CatalogVersions = DocumentVersion, DocumentVersions
CatalogChange, CatalogDraft, OpenCatalogDraft = DocumentChange, DocumentDraft, OpenDocumentDraft


class CatalogDrafts(DocumentDrafts):
    """A client of the desk's routes for versions of the catalogue. Raises CatalogRefusedError.

    The content of a draft has ``subjects``, ``notices``, ``closures`` and ``holidays``; see the contract.
    """

    audience, path, refused = "desk.catalog", "/api/office/catalog", CatalogRefusedError
