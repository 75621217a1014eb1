"""Checks images: size before decoding, completeness, and nothing foreign after their end.

The rules come from the formats: JPEG markers from ITU-T T.81 (annex B), PNG chunks from ISO/IEC 15948, boxes of HEIC
from ISO/IEC 14496-12 and the size of its images (``ispe``) from ISO/IEC 23008-12.
"""

import re
import struct
from typing import BinaryIO

from PIL import Image

from desk.files.errors import FileDamagedError, FileMixedError, ImageTooLargeError

PIXELS_MAX = 8192 * 6144
"""The pixels of a camera of 50 megapixels. Larger images are refused before they are decoded."""
_COEFFICIENT_BYTES, _COEFFICIENTS_MAX = 2, 32 * 1024 * 1024
"""The decoder holds a JPEG of several scans as a whole: two bytes for each pixel and colour, if none is subsampled."""
PADDING = b"\0\r\n\t "
_JPEG_START = b"\xff\xd8"
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA
_PNG_SIGNATURE_BYTES = 8
_BOX_HEADER = struct.Struct(">I4s")
_LARGE_BOX = struct.Struct(">Q")
_IMAGE_SIZE = re.compile(rb"ispe.{4}(.{4})(.{4})", re.DOTALL)
_PHONE_TRAILER = b"SEFT"
"""Ends what Samsung's cameras write after a photo."""
_FILM = b"ftyp"
_PHONE_DIRECTORY = b"SEFH"
_FOREIGN = re.compile(
    rb"<(html|script|svg|!doctype|body|iframe|img|\?php)|^(PK|Rar!|7z\xbc\xaf|\x7fELF|MZ|%PDF-)", re.IGNORECASE
)
_BEGINNING_BYTES = 1024
"""Where other data would begin; further on, the bytes of a film may look like anything."""
_UNREADABLE = (OSError, SyntaxError, ValueError, IndexError, struct.error)
"""What Pillow raises for an image that is damaged."""

Image.MAX_IMAGE_PIXELS = None  # replaced by PIXELS_MAX: Pillow's own limit only warns


def check_jpeg(content: BinaryIO) -> None:
    """Check a JPEG. After it may be further pictures, and what phones write there: a film, or Samsung's trailer.

    A large JPEG of several scans (progressive, for example) is not decoded: its size and the order of its markers up to
    its end are checked. Raises FileDamagedError, ImageTooLargeError or FileMixedError.
    """
    data = content.read()
    end, scans = _end_of_jpeg(data, 0)
    content.seek(0)
    try:
        with Image.open(content, formats=("JPEG", "MPO")) as image:
            _require_size(image.width, image.height)
            coefficients = image.width * image.height * len(image.getbands()) * _COEFFICIENT_BYTES
            if coefficients <= _COEFFICIENTS_MAX or (scans == 1 and "progressive" not in image.info):
                image.draft("L", (1, 1))  # decode at an eighth of the size: complete, with little memory
                image.load()
    except _UNREADABLE as error:
        raise FileDamagedError("a JPEG that cannot be decoded") from error
    _require_nothing_foreign_after_pictures(data, end)


def _require_nothing_foreign_after_pictures(data: bytes, end: int) -> None:
    while True:
        rest = data[end:]
        following = len(rest) - len(rest.lstrip(PADDING))
        if not rest[following:].startswith(_JPEG_START):
            break
        end, _ = _end_of_jpeg(data, end + following)
    if rest.strip(PADDING) and (not _is_of_phone(rest) or _FOREIGN.search(rest[:_BEGINNING_BYTES])):
        raise FileMixedError("data after the end of a JPEG")


def _is_of_phone(rest: bytes) -> bool:
    """Return whether data after a photo is a film whose boxes fill it, or has Samsung's directory at its end."""
    if rest.endswith(_PHONE_TRAILER):
        length = int.from_bytes(rest[-8:-4], "little")
        return rest[-8 - length : -8 - length + 4] == _PHONE_DIRECTORY
    at = 0
    while rest[4:8] == _FILM and at + _BOX_HEADER.size <= len(rest):
        size, _ = _BOX_HEADER.unpack_from(rest, at)
        if size < _BOX_HEADER.size:
            return False
        at += size
    return at == len(rest)


def _end_of_jpeg(data: bytes, start: int) -> tuple[int, int]:
    """Return the position after the end marker of the picture that begins at ``start``, and its number of scans.

    Raises FileDamagedError.
    """
    at, scans = start + len(_JPEG_START), 0
    while found := _JPEG_MARKER.search(data, at):
        marker = found[1][0]
        if marker == _JPEG_END:
            return found.end(), scans
        scans += marker == _JPEG_SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    raise FileDamagedError("a JPEG without its end")


def check_png(content: BinaryIO) -> None:
    """Check a PNG. Raises FileDamagedError, ImageTooLargeError or FileMixedError."""
    try:
        with Image.open(content, formats=("PNG",)) as image:
            _require_size(image.width, image.height)
            image.verify()  # every chunk and its checksum
    except _UNREADABLE as error:
        raise FileDamagedError("a PNG that cannot be read") from error
    content.seek(0)
    data, at, kind = content.read(), _PNG_SIGNATURE_BYTES, b""
    while kind != b"IEND":
        if at + _BOX_HEADER.size > len(data):
            raise FileDamagedError("a PNG without its end")
        size, kind = _BOX_HEADER.unpack_from(data, at)
        at += size + 12  # length, kind and checksum
    if data[at:].strip(PADDING):
        raise FileMixedError("data after the end of a PNG")


def check_heic(content: BinaryIO) -> None:
    """Check that the boxes fill the file exactly and include the image's description and data.

    Raises FileDamagedError or ImageTooLargeError.
    """
    end = content.seek(0, 2)
    at, kinds = 0, set[bytes]()
    while at < end:
        size, kind = _box(content, at, end)
        if kind == b"meta":
            content.seek(at)
            _require_image_sizes(content.read(size))
        kinds.add(kind)
        at += size
    if b"meta" not in kinds or not kinds & {b"mdat", b"idat"}:
        raise FileDamagedError("a HEIC without an image")


def _box(content: BinaryIO, at: int, end: int) -> tuple[int, bytes]:
    """Return size and kind of the box at a position. Raises FileDamagedError."""
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
    return size, kind


def _require_image_sizes(meta: bytes) -> None:
    for width, height in _IMAGE_SIZE.findall(meta):
        _require_size(int.from_bytes(width, "big"), int.from_bytes(height, "big"))


def _require_size(width: int, height: int) -> None:
    if width * height > PIXELS_MAX:
        raise ImageTooLargeError
