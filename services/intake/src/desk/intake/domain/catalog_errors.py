"""The error of editing the catalogue; the others are those of every document in versions."""

from desk.versions.errors import ContentInvalidError


class CatalogInvalidError(ContentInvalidError):
    """The content breaks a rule of the catalogue; ``errors`` name the parts."""

    code = "catalog_invalid"
    title = "این فهرست درست نیست. بخش‌های نام‌برده را درست کنید."
