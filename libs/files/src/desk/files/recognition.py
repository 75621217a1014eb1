"""Recognises a file's media type by its content, and checks that the content is complete, harmless and nothing else.

The rules come from the standards of the formats: HEIF brands from ISO/IEC 23008-12, the place of a PDF's header from
ISO 32000-1 (annex H.3.4.1), the parts of a Word document from ISO/IEC 29500-2 (Open Packaging Conventions).
"""

import zipfile
from typing import BinaryIO

import filetype

from desk.files.errors import FileEncryptedError, FileMixedError, FileTypeForbiddenError
from desk.files.images import check_heic, check_jpeg, check_png
from desk.files.pdf_documents import HEADER, HEADER_WITHIN, check_pdf
from desk.files.types import MEDIA_TYPES, PDF, WORD
from desk.files.word_documents import OLE_FILE, check_word_document

_HEAD_BYTES = 4096
_ZIP = b"PK\x03\x04"
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
"""Brands of images coded with HEVC. A file may name one as its major brand or among the compatible ones."""
_SAME_TYPE = {"image/apng": "image/png"}
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
"""A stream that Office files with a password have (MS-OFFCRYPTO)."""
_CHECKS = {
    PDF: check_pdf,
    "image/jpeg": check_jpeg,
    "image/png": check_png,
    "image/heic": check_heic,
    WORD: check_word_document,
}


def recognise(content: BinaryIO) -> str:
    """Return the media type of a complete file.

    Raises FileTypeForbiddenError, FileDamagedError, FileEncryptedError, FileActiveError, FileMixedError,
    FileTooComplexError or ImageTooLargeError.
    """
    content.seek(0)
    head = content.read(_HEAD_BYTES)
    media_type = _media_type(head)
    if media_type not in MEDIA_TYPES:
        if head.startswith(OLE_FILE) and _contains(content, _ENCRYPTED_OFFICE):
            raise FileEncryptedError
        raise FileTypeForbiddenError(str(media_type))
    if media_type != PDF and HEADER in head[:HEADER_WITHIN]:
        raise FileMixedError(f"{media_type} that is a PDF as well")
    if media_type != WORD and zipfile.is_zipfile(content):
        raise FileMixedError("a file that is an archive as well")
    content.seek(0)
    _CHECKS[media_type](content)
    return media_type


def _media_type(head: bytes) -> str | None:
    if head.startswith(_ZIP):
        return WORD
    if head[4:8] == b"ftyp":
        return "image/heic" if _HEVC_BRANDS & set(_brands(head)) else None
    guessed: str | None = filetype.guess_mime(head)
    guessed = _SAME_TYPE.get(guessed, guessed) if guessed else None
    if guessed not in MEDIA_TYPES and HEADER in head[:HEADER_WITHIN]:
        return PDF
    return guessed


def _brands(head: bytes) -> list[bytes]:
    """Return the major and compatible brands of a ``ftyp`` box (ISO/IEC 14496-12)."""
    box = head[: int.from_bytes(head[:4], "big")]
    return [box[8:12], *(box[start : start + 4] for start in range(16, len(box), 4))]


def _contains(content: BinaryIO, wanted: bytes) -> bool:
    content.seek(0)
    return wanted in content.read()
