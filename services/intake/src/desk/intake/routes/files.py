"""Routes for the files of cases: for offices with an assertion, for applicants with a tracking token."""

import re
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from desk.chassis.app import problems, source_of
from desk.chassis.client_assertions import ASSERTION_ERRORS
from desk.chassis.problem import RateLimitExceededError
from desk.intake import domain
from desk.intake.routes.attachments import (
    BAD_FILES,
    FILE_PROPERTY,
    FORM_BYTES_MAX,
    NO_STORE,
    AttachmentView,
    describe_form,
    read_form,
    receive_file,
    require_file,
)
from desk.intake.routes.dependencies import OfficeDep, ReplyUploaderDep, ServicesDep, TrackingCodeDep
from desk.intake.routes.downloads import DownloadResponse

router = APIRouter()
BODY_LIMITS = dict.fromkeys(("/api/office/files", "/api/files"), FORM_BYTES_MAX)
_CODE = re.compile("[0-9]{12}")
_NO_REPLY = (
    domain.TrackingTokenMissingError,
    domain.TrackingTokenInvalidError,
    domain.ReplyNotPossibleError,
    domain.RequestNotFoundError,
)


_NO_DOWNLOAD = (
    domain.FileNotFoundHereError,
    domain.FilePendingError,
    domain.FileRemovedError,
    domain.FileUnreadableError,
    domain.StorageUnavailableError,
)
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, as an attachment",
        "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in sorted(domain.MEDIA_TYPES)},
    }
}


@router.get(
    "/api/office/files/{file_id}",
    summary="Download a file of one of the province's cases",
    response_class=Response,
    responses=_CONTENT | problems(*ASSERTION_ERRORS, *_NO_DOWNLOAD),
)
async def download_for_province(file_id: UUID, request: Request, office: OfficeDep, services: ServicesDep) -> Response:
    """Send the file itself; it is decrypted while it is sent."""
    return DownloadResponse(await services.case_files.open_for_province(office, str(file_id), source_of(request)))


@router.post(
    "/api/office/files",
    status_code=201,
    summary="Upload a file for an answer",
    responses=problems(
        *ASSERTION_ERRORS,
        domain.CaseNotFoundError,
        domain.TooManyAnswerFilesError,
        *BAD_FILES,
        domain.StorageUnavailableError,
    ),
    openapi_extra=describe_form({"tracking_code": {"type": "string", "pattern": "^[0-9]{12}$"}} | FILE_PROPERTY),
)
async def upload_for_answer(
    request: Request, response: Response, office: OfficeDep, services: ServicesDep
) -> AttachmentView:
    """Store a file for a case of the office; the answer refers to it by its id."""
    response.headers.update(NO_STORE)
    async with read_form(request) as form:
        file, tracking_code = require_file(form), form.get("tracking_code")
        if not isinstance(tracking_code, str) or not _CODE.fullmatch(tracking_code):
            raise domain.CaseNotFoundError
        stored = await services.case_files.upload(office, tracking_code, file.file, file.filename or "")
    return AttachmentView.of(stored)


@router.get(
    "/api/files/{file_id}",
    summary="Download a file of the tracked request",
    response_class=Response,
    responses=_CONTENT | problems(domain.TrackingTokenMissingError, domain.TrackingTokenInvalidError, *_NO_DOWNLOAD),
)
async def download_for_applicant(
    file_id: UUID, request: Request, tracking_code: TrackingCodeDep, services: ServicesDep
) -> Response:
    """Send a file of the answer or of the request; it is decrypted while it is sent."""
    download = await services.case_files.open_for_applicant(tracking_code, str(file_id), source_of(request))
    return DownloadResponse(download)


@router.post(
    "/api/files",
    status_code=201,
    summary="Upload one file for a reply",
    responses=problems(
        *_NO_REPLY,
        *BAD_FILES,
        domain.TooManyFilesError,
        RateLimitExceededError,
        domain.StorageUnavailableError,
    ),
    openapi_extra=describe_form(FILE_PROPERTY),
)
async def upload_for_reply(
    request: Request, response: Response, uploader: ReplyUploaderDep, services: ServicesDep
) -> AttachmentView:
    """Store a file while the experts wait for a reply; the reply must refer to it by its id within a day."""
    response.headers.update(NO_STORE)
    return await receive_file(request, uploader, services.uploads)


@router.delete(
    "/api/files/{file_id}",
    status_code=204,
    summary="Remove a file that no reply refers to",
    responses=problems(*_NO_REPLY, domain.AttachmentNotFoundError, domain.StorageUnavailableError),
)
async def take_back(file_id: UUID, uploader: ReplyUploaderDep, services: ServicesDep) -> None:
    """Delete the file if the applicant has uploaded it."""
    await services.uploads.remove(uploader, file_id)
