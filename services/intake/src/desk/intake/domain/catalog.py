"""The catalogue: what can be asked for, and the limits of a request."""

import gzip
import hashlib
import json
from dataclasses import asdict, dataclass

from desk.files.types import FILE_BYTES_MAX, MEDIA_TYPES
from desk.intake.domain.errors import UnknownSubjectError, UnknownSubSubjectError
from desk.iran.provinces import PROVINCES

TEXT_MIN, TEXT_MAX = 10, 4000
"""Characters of a request's text."""
FILES_MAX = 5


@dataclass(frozen=True, slots=True)
class SubSubject:
    """A kind of request; ``answer_within_days`` counts working days.

    ``office`` is the key of the office that handles it in place of that of the chosen province.
    """

    key: str
    title: str
    answer_within_days: int
    office: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A main subject."""

    key: str
    title: str
    sub_subjects: tuple[SubSubject, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All main subjects, in the order in which they are shown."""

    subjects: tuple[Subject, ...]

    def choose(self, subject_key: str, sub_subject_key: str) -> tuple[Subject, SubSubject]:
        """Return a subject and its sub-subject. Raises UnknownSubjectError or UnknownSubSubjectError."""
        for subject in self.subjects:
            if subject.key == subject_key:
                for sub_subject in subject.sub_subjects:
                    if sub_subject.key == sub_subject_key:
                        return subject, sub_subject
                raise UnknownSubSubjectError
        raise UnknownSubjectError


@dataclass(frozen=True, slots=True)
class CatalogDocument:
    """The catalogue as JSON, with its ETag."""

    body: bytes
    compressed: bytes
    """The body in gzip, made once: it is requested for every form."""
    etag: str

    @classmethod
    def of(cls, catalog: Catalog, mobile_proof: str = "off") -> "CatalogDocument":
        """Render provinces, subjects and limits; ``mobile_proof`` says whose mobile must be proven."""
        body = json.dumps(
            {
                "provinces": [{"key": each.key, "name": each.name, "area_code": each.area_code} for each in PROVINCES],
                "subjects": [asdict(subject) for subject in catalog.subjects],
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
