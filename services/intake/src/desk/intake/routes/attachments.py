"""Routes for the files of a request: upload them before submission, remove them again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from desk.chassis.app import problems, source_of
from desk.chassis.problem import RateLimitExceededError
from desk.intake import domain
from desk.intake.domain import FILE_BYTES_MAX, Attachment, Uploader
from desk.intake.routes.dependencies import NO_IDENTITY, ServicesDep, UploaderDep
from desk.intake.service.attachments import Uploads

router = APIRouter()
FORM_BYTES_MAX = FILE_BYTES_MAX + 16 * 1024
"""The form adds its boundaries and headers to a file."""
BODY_LIMITS = {"/api/attachments": FORM_BYTES_MAX}
NO_STORE = {"Cache-Control": "no-store"}
BAD_FILES = (
    domain.FormUnreadableError,
    domain.FileTooLargeError,
    domain.FileTypeForbiddenError,
    domain.FileTypeMismatchError,
    domain.FileDamagedError,
    domain.FileEncryptedError,
    domain.FileActiveError,
    domain.FileMixedError,
    domain.FileTooComplexError,
    domain.FileInfectedError,
    domain.ImageTooLargeError,
    domain.FileEmptyError,
    domain.FileMissingError,
)
"""The errors of reading and checking an uploaded file."""
FILE_PROPERTY: dict[str, Any] = {"file": {"type": "string", "format": "binary"}}


class AttachmentView(BaseModel):
    """An uploaded file; ``size`` in bytes, ``sha256`` in hex."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str

    @classmethod
    def of(cls, attachment: Attachment) -> "AttachmentView":
        """Describe an attachment."""
        return cls.model_validate(attachment, from_attributes=True)


def describe_form(properties: dict[str, Any]) -> dict[str, Any]:
    """Describe a form with a file in OpenAPI, since its route reads it without FastAPI."""
    schema = {"type": "object", "required": sorted(properties, reverse=True), "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.post(
    "/api/attachments",
    status_code=201,
    summary="Upload one file",
    responses=problems(
        *NO_IDENTITY,
        *BAD_FILES,
        domain.TooManyFilesError,
        RateLimitExceededError,
        domain.StorageUnavailableError,
    ),
    openapi_extra=describe_form(FILE_PROPERTY),
)
async def upload(request: Request, response: Response, uploader: UploaderDep, services: ServicesDep) -> AttachmentView:
    """Store a file of an identified applicant; the body is not read before the identity token is verified."""
    response.headers.update(NO_STORE)
    return await receive_file(request, uploader, services.uploads)


async def receive_file(request: Request, uploader: Uploader, uploads: Uploads) -> AttachmentView:
    """Count an upload, and only then read its form and store the file."""
    length = request.headers.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() else FILE_BYTES_MAX
    await uploads.reserve(uploader, source_of(request), min(size, FILE_BYTES_MAX))
    async with read_form(request) as form:
        file = require_file(form)
        return AttachmentView.of(await uploads.add(uploader, file.file, file.filename or ""))


def require_file(form: FormData) -> UploadFile:
    """Return the form's file. Raises FileMissingError."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise domain.FileMissingError
    return file


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[FormData]:
    """Read a form with one file. Raises FileTooLargeError or FormUnreadableError."""
    try:
        form = await request.form(max_files=1, max_fields=4)
    except HTTPException as error:
        if error.status_code == domain.FileTooLargeError.status:
            raise domain.FileTooLargeError from None
        raise domain.FormUnreadableError(error.detail) from None
    except (UnicodeError, ClientDisconnect) as error:
        raise domain.FormUnreadableError(type(error).__name__) from None
    try:
        yield form
    finally:
        await form.close()


@router.delete(
    "/api/attachments/{attachment_id}",
    status_code=204,
    summary="Remove a file that no request has claimed",
    responses=problems(*NO_IDENTITY, domain.AttachmentNotFoundError, domain.StorageUnavailableError),
)
async def take_back(attachment_id: UUID, uploader: UploaderDep, services: ServicesDep) -> None:
    """Delete the file if the applicant has uploaded it."""
    await services.uploads.remove(uploader, attachment_id)
