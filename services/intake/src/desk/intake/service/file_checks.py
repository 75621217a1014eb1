"""Checks uploaded files, with the errors of this service."""

from typing import BinaryIO

from desk.chassis.problem import DomainError
from desk.files import checks, errors
from desk.files.types import CheckedFile
from desk.intake.domain import (
    FileActiveError,
    FileDamagedError,
    FileEmptyError,
    FileEncryptedError,
    FileMixedError,
    FileTooComplexError,
    FileTooLargeError,
    FileTypeForbiddenError,
    FileTypeMismatchError,
    ImageTooLargeError,
)

_ERRORS: dict[type[errors.FileError], type[DomainError]] = {
    errors.FileActiveError: FileActiveError,
    errors.FileDamagedError: FileDamagedError,
    errors.FileEmptyError: FileEmptyError,
    errors.FileEncryptedError: FileEncryptedError,
    errors.FileMixedError: FileMixedError,
    errors.FileTooComplexError: FileTooComplexError,
    errors.FileTooLargeError: FileTooLargeError,
    errors.FileTypeForbiddenError: FileTypeForbiddenError,
    errors.FileTypeMismatchError: FileTypeMismatchError,
    errors.ImageTooLargeError: ImageTooLargeError,
}


def check_file(content: BinaryIO, name: str) -> CheckedFile:
    """Read the whole file once and return what it is, with a clean name; the file is rewound.

    Raises FileEmptyError, FileTooLargeError, FileTypeForbiddenError, FileTypeMismatchError, FileDamagedError,
    FileEncryptedError, FileActiveError, FileMixedError, FileTooComplexError or ImageTooLargeError.
    """
    try:
        return checks.check_file(content, name)
    except errors.FileError as error:
        raise _ERRORS[type(error)](*error.args) from error
