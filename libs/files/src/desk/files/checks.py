"""Checks uploaded files: the content decides what a file is, not its name."""

import atexit
import hashlib
import os
import re
from pathlib import PurePath
from typing import BinaryIO

from desk.files.errors import FileEmptyError, FileTooLargeError, FileTypeMismatchError
from desk.files.isolation import IsolatedRecogniser
from desk.files.types import FILE_BYTES_MAX, MEDIA_TYPES, CheckedFile
from desk.iran.digits import fold

NAME_MAX = 120
_CHUNK_BYTES = 64 * 1024
_IMAGES = {media_type for media_type in MEDIA_TYPES if media_type.startswith("image/")}
_FORBIDDEN_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_RECOGNISER = IsolatedRecogniser()
atexit.register(_RECOGNISER.close)
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")


def check_file(content: BinaryIO, name: str) -> CheckedFile:
    """Read the whole file and return what it is, with a clean name; the file is rewound and never changed.

    Raises FileEmptyError, FileTooLargeError, FileTypeMismatchError and the errors of
    :func:`desk.files.recognition.recognise`.
    """
    size = content.seek(0, os.SEEK_END)
    if size == 0:
        raise FileEmptyError
    if size > FILE_BYTES_MAX:
        raise FileTooLargeError
    media_type = _RECOGNISER.recognise(content)
    checked = CheckedFile(_clean_name(name, media_type), size, media_type, _sha256(content))
    content.seek(0)
    return checked


def _sha256(content: BinaryIO) -> str:
    digest = hashlib.sha256()
    content.seek(0)
    while chunk := content.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


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
