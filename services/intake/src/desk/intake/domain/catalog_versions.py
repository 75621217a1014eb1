"""Versions of the catalogue, the one in force, and drafts of the next one."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from desk.files.types import FILE_BYTES_MAX, MEDIA_TYPES
from desk.intake.domain.catalog import FILES_MAX, TEXT_MAX, TEXT_MIN, Catalog
from desk.iran.provinces import PROVINCES

FIRST_VERSION = 1
"""The number of the version that the package contains."""


_ALWAYS: dict[str, list[object]] = {"notices": [], "closures": [], "holidays": []}
"""What the public document has even if it is empty; its parts lack what has a default."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the catalogue, without its content. It never changes, but it can be cancelled until it is in force.

    ``author`` and ``approved_by`` are the names of two people of headquarters, empty for the first version.
    """

    number: int
    in_force_at: datetime
    note: str
    author: str
    approved_by: str
    approved_at: datetime
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of the next version; ``revision`` counts its changes, ``editors`` are all who made one.

    ``based_on`` is the number of the version it began with. It can be approved while ``proposed_by`` is set, by a
    person who is no editor.
    """

    id: str
    revision: int
    based_on: int
    note: str
    editors: tuple[str, ...]
    proposed_by: str | None
    changed_at: datetime
    preview: str
    """A random value, with which pages show the draft before it is in force."""


@dataclass(frozen=True, slots=True)
class CatalogDocument:
    """The catalogue as JSON, with its ETag."""

    body: bytes
    compressed: bytes
    """The body in gzip, made once: it is requested for every form."""
    etag: str

    @classmethod
    def of(cls, catalog: Catalog, version: int = FIRST_VERSION, mobile_proof: str = "off") -> "CatalogDocument":
        """Render provinces, subjects and limits; ``mobile_proof`` says whose mobile must be proven."""
        body = json.dumps(
            {
                "version": version,
                "provinces": [{"key": each.key, "name": each.name, "area_code": each.area_code} for each in PROVINCES],
                **_ALWAYS,
                **catalog.model_dump(mode="json", exclude_defaults=True),
                "limits": {
                    "text_min": TEXT_MIN,
                    "text_max": TEXT_MAX,
                    "files_max": FILES_MAX,
                    "file_bytes_max": FILE_BYTES_MAX,
                    "media_types": list(MEDIA_TYPES),
                    "mobile_proof": mobile_proof,
                    "extensions": [extension for extensions in MEDIA_TYPES.values() for extension in extensions],
                },
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        return cls(body, gzip.compress(body, mtime=0), f'"{hashlib.sha256(body).hexdigest()[:20]}"')


@dataclass(frozen=True, slots=True)
class Change:
    """A difference of two versions: ``path`` names the part by its keys; a side is None if the part is missing."""

    path: str
    before: object
    after: object


def changes_between(before: Catalog, after: Catalog) -> list[Change]:
    """List what differs, part by part, in the order of the earlier version and then of the later one."""
    old, new = _flat(before), _flat(after)
    paths = dict.fromkeys((*old, *new))
    return [Change(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def _flat(catalog: Catalog) -> dict[str, object]:
    return dict(_leaves("", catalog.model_dump(mode="json")))


def _leaves(path: str, value: object) -> list[tuple[str, object]]:
    """List the values of a document; an element of a list is named by its key, or else by its place.

    The list itself has the names of its elements, so that a new order is a difference.
    """
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in _leaves(f"{path}.{name}".lstrip("."), each)]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        named = [(each.get("key", str(place)), each) for place, each in enumerate(value, 1) if isinstance(each, dict)]
        return [(path, [name for name, _ in named])] + [
            leaf for name, each in named for leaf in _leaves(f"{path}.{name}", each)
        ]
    return [(path, value)]
