"""The catalogue as the JSON document that pages read."""

import gzip
import hashlib
import json
from dataclasses import dataclass

from desk.files.types import FILE_BYTES_MAX, MEDIA_TYPES
from desk.intake.domain.catalog import FILES_MAX, TEXT_MAX, TEXT_MIN, Catalog
from desk.iran.provinces import PROVINCES
from desk.versions.rules import FIRST_VERSION

_ALWAYS: dict[str, list[object]] = {"notices": [], "closures": [], "holidays": []}
"""What the public document has even if it is empty; its parts lack what has a default."""


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
