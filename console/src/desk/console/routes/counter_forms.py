"""Reads the forms of the counter: texts, files, and all that is kept of a form whose session has expired."""

from fastapi import Request, UploadFile

from desk.console.domain.cases import FILES_MAX
from desk.console.domain.counter import (
    DOCUMENT_PREFIX,
    FIELD_PREFIX,
    IDENTITY_FIELDS,
    REQUEST_FIELDS,
    CounterFaultsError,
)
from desk.console.domain.errors import FieldError
from desk.console.routes.files import read_files
from desk.console.store.reports import NewFile

LENGTH_MAX, FURTHER_MAX = 20_000, 40
STATE_MAX = 400_000
"""Characters of a sealed state that is kept; texts of the longest form make less."""


async def read_further(request: Request) -> dict[str, str]:
    """Return the fields that the chosen sub-subject adds."""
    names = [name for name in await request.form() if name.startswith(FIELD_PREFIX)]
    return await read_fields(request, tuple(names[:FURTHER_MAX]))


async def read_documents(request: Request) -> list[tuple[str, NewFile]]:
    """Return the chosen files of documents with their keys. Raises CounterFaultsError."""
    found: list[tuple[str, NewFile]] = []
    for name, value in (await request.form()).multi_items():
        if name.startswith(DOCUMENT_PREFIX) and not isinstance(value, str) and len(found) <= FILES_MAX:
            try:
                read = await read_files([UploadFile(value.file, filename=value.filename)])
            except FieldError as error:
                raise CounterFaultsError({name: error.title}) from None
            found += [(name.removeprefix(DOCUMENT_PREFIX), file) for file in read]
    return found


async def read_attached(files: list[UploadFile]) -> list[NewFile]:
    """Return the chosen files. Raises CounterFaultsError for one that the desk would refuse."""
    try:
        return await read_files(files)
    except FieldError as error:
        raise CounterFaultsError({error.field: error.title}) from None


async def read_fields(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """Return texts of a form; missing ones are empty."""
    form = await request.form()
    values = {name: form.get(name) for name in names}
    return {name: value[:LENGTH_MAX].strip() if isinstance(value, str) else "" for name, value in values.items()}


async def read_unsent(request: Request) -> dict[str, str]:
    """Return what a form of the counter has, to be kept: texts, and the state that it was rendered with."""
    state = (await request.form()).get("state")
    typed = await read_fields(request, (*IDENTITY_FIELDS, *REQUEST_FIELDS)) | await read_further(request)
    if isinstance(state, str) and len(state) <= STATE_MAX:
        typed["state"] = state
    return {name: value for name, value in typed.items() if value}
