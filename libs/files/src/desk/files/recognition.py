"""Recognises a file's media type by its content, and checks that the content is complete and can be opened.

The rules come from the standards of the formats: HEIF brands from ISO/IEC 23008-12, the place of a PDF's header from
ISO 32000-1 (annex H.3.4.1), the parts of a Word document from ISO/IEC 29500-2 (Open Packaging Conventions).
"""

import struct
from typing import BinaryIO

import filetype
import pikepdf
from PIL import Image

from desk.files.errors import FileDamagedError, FileEncryptedError, FileTypeForbiddenError, ImageTooLargeError
from desk.files.types import MEDIA_TYPES, WORD
from desk.files.word_documents import check_word_document

_HEAD_BYTES = 4096
_PDF_HEADER_WITHIN = 1024
_PDF_END_WITHIN = 2048
_PADDING = b"\0\r\n\t "
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
"""Brands of images coded with HEVC. A file may name one as its major brand or among the compatible ones."""
_BOX_HEADER = struct.Struct(">I4s")
_LARGE_BOX = struct.Struct(">Q")
_SAME_TYPE = {"image/apng": "image/png"}
_OLE_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
"""A stream that Office files with a password have (MS-OFFCRYPTO)."""
PIXELS_MAX = 64_000_000
"""Larger images are refused before they are decoded, since decoding needs memory for every pixel."""
_UNREADABLE_IMAGE = (OSError, SyntaxError, ValueError, IndexError, struct.error)
"""What Pillow raises for an image that is damaged."""

Image.MAX_IMAGE_PIXELS = None  # replaced by PIXELS_MAX: Pillow's own limit only warns


def recognise(content: BinaryIO) -> str:
    """Return the media type of a complete file.

    Raises FileTypeForbiddenError, FileDamagedError, FileEncryptedError or ImageTooLargeError.
    """
    content.seek(0)
    head = content.read(_HEAD_BYTES)
    media_type = _media_type(head)
    if media_type not in MEDIA_TYPES:
        if head.startswith(_OLE_FILE) and _contains(content, _ENCRYPTED_OFFICE):
            raise FileEncryptedError
        raise FileTypeForbiddenError(str(media_type))
    content.seek(0)
    _CHECKS[media_type](content)
    return media_type


def _media_type(head: bytes) -> str | None:
    if head.startswith(b"PK\x03\x04"):
        return WORD
    if b"%PDF-" in head[:_PDF_HEADER_WITHIN]:
        return "application/pdf"
    if head[4:8] == b"ftyp":
        return "image/heic" if _HEVC_BRANDS & set(_brands(head)) else None
    guessed: str | None = filetype.guess_mime(head)
    return _SAME_TYPE.get(guessed, guessed) if guessed else None


def _brands(head: bytes) -> list[bytes]:
    """Return the major and compatible brands of a ``ftyp`` box (ISO/IEC 14496-12)."""
    box = head[: int.from_bytes(head[:4], "big")]
    return [box[8:12], *(box[start : start + 4] for start in range(16, len(box), 4))]


def _contains(content: BinaryIO, wanted: bytes) -> bool:
    content.seek(0)
    return wanted in content.read()


def _check_pdf(content: BinaryIO) -> None:
    if b"%%EOF" not in content.read().rstrip(_PADDING)[-_PDF_END_WITHIN:]:
        raise FileDamagedError("a PDF without its end")
    content.seek(0)
    try:
        with pikepdf.open(content) as document:
            if len(document.pages) == 0:
                raise FileDamagedError("a PDF without pages")
    except pikepdf.PasswordError as error:
        raise FileEncryptedError from error
    except pikepdf.PdfError as error:
        raise FileDamagedError("a PDF that cannot be opened") from error


def _check_jpeg(content: BinaryIO) -> None:
    try:
        with Image.open(content, formats=("JPEG", "MPO")) as image:
            _require_size(image)
            image.draft("L", (1, 1))  # decode at an eighth of the size: complete, with little memory
            image.load()
    except _UNREADABLE_IMAGE as error:
        raise FileDamagedError("a JPEG that cannot be decoded") from error


def _check_png(content: BinaryIO) -> None:
    try:
        with Image.open(content, formats=("PNG",)) as image:
            _require_size(image)
            image.verify()  # every chunk and its checksum
    except _UNREADABLE_IMAGE as error:
        raise FileDamagedError("a PNG that cannot be read") from error


def _require_size(image: Image.Image) -> None:
    if image.width * image.height > PIXELS_MAX:
        raise ImageTooLargeError


def _check_heic(content: BinaryIO) -> None:
    """Check that the boxes fill the file exactly and include the image's description and data."""
    content.seek(0, 2)
    end, at, kinds = content.tell(), 0, set()
    while at < end:
        content.seek(at)
        header = content.read(_BOX_HEADER.size + _LARGE_BOX.size)
        if len(header) < _BOX_HEADER.size:
            raise FileDamagedError("a HEIC that ends within a box")
        size, kind = _BOX_HEADER.unpack_from(header)
        if size == 1 and len(header) == _BOX_HEADER.size + _LARGE_BOX.size:
            (size,) = _LARGE_BOX.unpack_from(header, _BOX_HEADER.size)
        size = size or end - at  # 0: the box extends to the end of the file
        if size < _BOX_HEADER.size or at + size > end:
            raise FileDamagedError("a HEIC that ends within a box")
        kinds.add(kind)
        at += size
    if b"meta" not in kinds or not kinds & {b"mdat", b"idat"}:
        raise FileDamagedError("a HEIC without an image")


_CHECKS = {
    "application/pdf": _check_pdf,
    "image/jpeg": _check_jpeg,
    "image/png": _check_png,
    "image/heic": _check_heic,
    WORD: check_word_document,
}
