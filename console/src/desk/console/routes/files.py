"""Reads and checks the files that an expert attaches to an answer, by the rules of the desk."""

import asyncio

from fastapi import UploadFile

from desk.console.domain.cases import FILES_MAX
from desk.console.domain.errors import FieldError
from desk.console.store.reports import NewFile
from desk.files.checks import check_file
from desk.files.errors import FileError
from desk.iran.digits import to_persian

FIELD = "files"


async def read_files(files: list[UploadFile]) -> list[NewFile]:
    """Read the chosen files. Raises FieldError for one that the desk would refuse."""
    chosen = [file for file in files if file.filename]
    if len(chosen) > FILES_MAX:
        raise FieldError(FIELD, f"حداکثر {to_persian(FILES_MAX)} فایل می‌توانید بفرستید.")
    read = []
    for file in chosen:
        name = str(file.filename)
        try:
            checked = await asyncio.to_thread(check_file, file.file, name)
        except FileError as error:
            raise FieldError(FIELD, f"«{name[:80]}»: {error.title}") from error
        read.append(NewFile(checked.name, await file.read()))
    return read
