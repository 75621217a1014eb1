"""What a file really is: its content decides, whatever its name says."""

import hashlib
import re
import stat
import struct
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

import filetype

from desk.chassis.problem import DomainError
from desk.intake.catalog import FILE_BYTES_MAX, MEDIA_TYPES
from desk.iran.digits import fold

NAME_MAX = 120
_HEAD_BYTES = 4096
_CHUNK_BYTES = 64 * 1024
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_IMAGES = {media_type for media_type in MEDIA_TYPES if media_type.startswith("image/")}
_MEMBERS_MAX = 500
_UNPACKED_BYTES_MAX = 100 * 1024 * 1024
_FORBIDDEN_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")
_UNREADABLE_ZIP = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, OSError, struct.error)
"""What `zipfile` raises for an archive that is broken, or of a kind it does not know."""
_LOCKED = 0x1
"""The flag of a member that needs a password."""


class FileEmptyError(DomainError):
    """There is nothing in the file."""

    code, field = "file_empty", "file"
    title = "این فایل خالی است. لطفاً فایل دیگری انتخاب کنید."


class FileMissingError(DomainError):
    """The form has no part named ``file`` that is a file."""

    code, field = "file_missing", "file"
    title = "فایلی فرستاده نشده است. لطفاً یک فایل انتخاب کنید."


class FormUnreadableError(DomainError):
    """The form broke off, is no form, or holds more than one file."""

    status, code, field = 400, "form_unreadable", "file"
    title = "فایل به‌درستی فرستاده نشد. لطفاً یک فایل انتخاب کنید و دوباره بفرستید."


class FileTooLargeError(DomainError):
    """The file is larger than allowed."""

    status, code, field = 413, "file_too_large", "file"
    title = "حجم این فایل بیش از ۷ مگابایت است. لطفاً فایل کوچک‌تری انتخاب کنید."


class FileTypeForbiddenError(DomainError):
    """The content is of a kind the desk does not take."""

    status, code, field = 415, "file_type_forbidden", "file"
    title = "این نوع فایل پذیرفته نمی‌شود. فایل PDF، JPEG، PNG، HEIC یا DOCX بفرستید."


class FileTypeMismatchError(DomainError):
    """The name says one kind, the content is another."""

    status, code, field = 415, "file_type_mismatch", "file"
    title = "نوع این فایل با پسوند نامش یکی نیست. لطفاً آن را با قالب درست ذخیره کنید و دوباره بفرستید."


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file the desk takes: a clean name with the right ending, size in bytes, media type, SHA-256 in hex."""

    name: str
    size: int
    media_type: str
    sha256: str


def check(content: BinaryIO, name: str) -> CheckedFile:
    """Look at the whole file once. Raises one of the errors above; leaves the file at its start."""
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
    """Tell a Word document from any other zip, without unpacking it; macros and bombs are not welcome."""
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as archive:
            members = archive.infolist()
    except _UNREADABLE_ZIP as error:
        raise FileTypeForbiddenError("a broken zip") from error
    names = {member.filename for member in members}
    if not {"[Content_Types].xml", "word/document.xml"} <= names:
        raise FileTypeForbiddenError("a zip that is no Word document")
    if any(map(_is_unwelcome, members)):
        raise FileTypeForbiddenError("a Word document with macros, links, locked parts or odd paths")
    if len(members) > _MEMBERS_MAX or sum(member.file_size for member in members) > _UNPACKED_BYTES_MAX:
        raise FileTypeForbiddenError("a Word document that unpacks to too much")
    return _DOCX


def _is_unwelcome(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    return (
        name.lower().endswith("vbaproject.bin")
        or ".." in name
        or name.startswith("/")
        or stat.S_ISLNK(member.external_attr >> 16)
        or bool(member.flag_bits & _LOCKED)
    )


def _clean_name(name: str, media_type: str) -> str:
    """Keep the person's name for the file, without paths and marks, ending as its content demands.

    A picture under another picture's ending is common (phones rename HEIC to JPG) and harmless: the name is mended.
    Any other disagreement is a lie. Raises FileTypeMismatchError.
    """
    bare = _FORBIDDEN_IN_NAMES.sub("", PurePath(fold(name).replace("\\", "/")).name).rstrip(". ")
    found = _ENDING.search(bare)
    ending = found[0].lower() if found else ""
    stem = bare[: len(bare) - len(ending)].strip(". ")[:NAME_MAX].rstrip(". ") or "file"
    if ending in MEDIA_TYPES[media_type]:
        return f"{stem}{ending}"
    claimed = next((kind for kind, endings in MEDIA_TYPES.items() if ending in endings), None)
    if claimed is not None and not {claimed, media_type} <= _IMAGES:
        raise FileTypeMismatchError(f"{media_type} named {ending}")
    return f"{stem}{MEDIA_TYPES[media_type][0]}"
