"""Checks uploaded files: the content decides what a file is, not its name."""

import hashlib
import re
import stat
import struct
import zipfile
from pathlib import PurePath
from typing import BinaryIO

import filetype

from desk.intake.domain import (
    FILE_BYTES_MAX,
    MEDIA_TYPES,
    CheckedFile,
    FileEmptyError,
    FileTooLargeError,
    FileTypeForbiddenError,
    FileTypeMismatchError,
)
from desk.iran.digits import fold

NAME_MAX = 120
_HEAD_BYTES = 4096
_CHUNK_BYTES = 64 * 1024
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_IMAGES = {media_type for media_type in MEDIA_TYPES if media_type.startswith("image/")}
_MEMBERS_MAX = 500
_UNPACKED_BYTES_MAX = 100 * 1024 * 1024
_FORBIDDEN_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")
_UNREADABLE_ZIP = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, OSError, struct.error)
"""What `zipfile` raises for an archive that is broken or of an unknown kind."""
_ENCRYPTED = 0x1
"""The flag of an archive member that needs a password."""


def check_file(content: BinaryIO, name: str) -> CheckedFile:
    """Read the whole file once and return what it is, with a clean name; the file is rewound.

    Raises FileEmptyError, FileTooLargeError, FileTypeForbiddenError or FileTypeMismatchError.
    """
    size, sha256 = _measure(content)
    if size == 0:
        raise FileEmptyError
    if size > FILE_BYTES_MAX:
        raise FileTooLargeError
    media_type = _media_type(content)
    content.seek(0)
    return CheckedFile(_clean_name(name, media_type), size, media_type, sha256)


def _measure(content: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    content.seek(0)
    while chunk := content.read(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _media_type(content: BinaryIO) -> str:
    content.seek(0)
    head = content.read(_HEAD_BYTES)
    if head.startswith(b"PK\x03\x04"):
        return _word_document(content)
    guessed = filetype.guess_mime(head)
    media_type = "image/heic" if guessed == "image/heif" else guessed
    if media_type not in MEDIA_TYPES:
        raise FileTypeForbiddenError(str(guessed))
    return str(media_type)


def _word_document(content: BinaryIO) -> str:
    """Return the media type of a Word document without unpacking it; reject macros, archive bombs and other zips."""
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as archive:
            members = archive.infolist()
    except _UNREADABLE_ZIP as error:
        raise FileTypeForbiddenError("a broken zip") from error
    names = {member.filename for member in members}
    if not {"[Content_Types].xml", "word/document.xml"} <= names:
        raise FileTypeForbiddenError("a zip that is not a Word document")
    if any(map(_is_forbidden, members)):
        raise FileTypeForbiddenError("a Word document with macros, links, encrypted parts or unsafe paths")
    if len(members) > _MEMBERS_MAX or sum(member.file_size for member in members) > _UNPACKED_BYTES_MAX:
        raise FileTypeForbiddenError("a Word document that is too large when unpacked")
    return _DOCX


def _is_forbidden(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    return (
        name.lower().endswith("vbaproject.bin")
        or ".." in name
        or name.startswith("/")
        or stat.S_ISLNK(member.external_attr >> 16)
        or bool(member.flag_bits & _ENCRYPTED)
    )


def _clean_name(name: str, media_type: str) -> str:
    """Return the given name without paths and control characters, with the extension of the content's media type.

    The extension of another image type is common (phones rename HEIC to JPG) and harmless: it is replaced.
    Raises FileTypeMismatchError for the extension of any other accepted type.
    """
    bare = _FORBIDDEN_IN_NAMES.sub("", PurePath(fold(name).replace("\\", "/")).name).rstrip(". ")
    found = _EXTENSION.search(bare)
    extension = found[0].lower() if found else ""
    stem = bare[: len(bare) - len(extension)].strip(". ")[:NAME_MAX].rstrip(". ") or "file"
    if extension in MEDIA_TYPES[media_type]:
        return f"{stem}{extension}"
    claimed = next((kind for kind, extensions in MEDIA_TYPES.items() if extension in extensions), None)
    if claimed is not None and not {claimed, media_type} <= _IMAGES:
        raise FileTypeMismatchError(f"{media_type} named {extension}")
    return f"{stem}{MEDIA_TYPES[media_type][0]}"
