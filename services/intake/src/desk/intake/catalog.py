"""What can be asked for: provinces, subjects with their sub-subjects, and the limits of a request."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files

from desk.iran.provinces import PROVINCES

TEXT_MIN, TEXT_MAX = 10, 4000
"""Characters a request's text may have."""
FILES_MAX = 5
FILE_BYTES_MAX = 7 * 1024 * 1024
MEDIA_TYPES = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/heic": (".heic", ".heif"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
}
"""The kinds of file a request may carry, and the name endings that belong to each."""


@dataclass(frozen=True, slots=True)
class SubSubject:
    """A kind of request; ``answer_within_days`` counts working days."""

    key: str
    title: str
    answer_within_days: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A main subject."""

    key: str
    title: str
    sub_subjects: tuple[SubSubject, ...]


@cache
def subjects() -> tuple[Subject, ...]:
    """All main subjects, in the order they are shown."""
    rows = json.loads(files("desk.intake").joinpath("catalog.json").read_text(encoding="utf-8"))["subjects"]
    return tuple(
        Subject(
            key=row["key"],
            title=row["title"],
            sub_subjects=tuple(
                SubSubject(sub["key"], sub["title"], sub["answer_within_days"]) for sub in row["sub_subjects"]
            ),
        )
        for row in rows
    )


@cache
def catalog_json() -> tuple[bytes, str]:
    """The whole catalogue as JSON, and its ETag."""
    body = json.dumps(
        {
            "provinces": [{"key": each.key, "name": each.name, "area_code": each.area_code} for each in PROVINCES],
            "subjects": [asdict(subject) for subject in subjects()],
            "limits": {
                "text_min": TEXT_MIN,
                "text_max": TEXT_MAX,
                "files_max": FILES_MAX,
                "file_bytes_max": FILE_BYTES_MAX,
                "media_types": list(MEDIA_TYPES),
                "extensions": [ending for endings in MEDIA_TYPES.values() for ending in endings],
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:20]}"'
