"""The accepted media types, and what is known of a checked file."""

from dataclasses import dataclass

FILE_MEGABYTES_MAX = 7
"""The largest file. Texts, pages, the contract and the routes of the gateway are generated from this number."""
FILE_BYTES_MAX = FILE_MEGABYTES_MAX * 1024 * 1024
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
MEDIA_TYPES = {
    PDF: (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/heic": (".heic", ".heif"),
    WORD: (".docx",),
}
"""The accepted media types, each with its file name extensions."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file the desk accepts: a clean name with the right extension, size in bytes, media type, SHA-256 in hex."""

    name: str
    size: int
    media_type: str
    sha256: str
