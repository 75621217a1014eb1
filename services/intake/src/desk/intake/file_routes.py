"""Intake's routes for files of cases: for provinces by their own assertions, for applicants by a tracking token."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from desk.chassis.app import problems
from desk.chassis.crypto import TokenError, TokenReader
from desk.chassis.events import Moment
from desk.chassis.problem import RateLimitExceededError
from desk.intake import assertions, domain, files
from desk.intake.assertions import ProvinceAssertions
from desk.intake.case_files import LINK_SECONDS, CaseFiles
from desk.intake.catalog import FILE_BYTES_MAX
from desk.intake.reply_files import ReplyFiles
from desk.intake.routes import BAD_FILES, AttachmentView, IntakeDep, file_form, take_file
from desk.intake.service import StorageUnavailableError, Visitor

router = APIRouter()
BODY_LIMITS = dict.fromkeys(("/api/province/files", "/api/files"), FILE_BYTES_MAX + 16 * 1024)
_assertion = HTTPBearer(auto_error=False, scheme_name="assertion", description="a province's assertion")
_tracking = HTTPBearer(auto_error=False, scheme_name="tracking", description="tracking token")
_CODE = re.compile("[0-9]{12}")
_PRIVATE = {"Cache-Control": "no-store"}
_NO_PROVINCE = (
    assertions.AssertionMissingError,
    assertions.AssertionInvalidError,
    assertions.AssertionReusedError,
)


class LinkView(BaseModel):
    """Where a file can be fetched without further proof until ``expires_at``."""

    url: str
    expires_at: Moment


async def _case_files(request: Request) -> CaseFiles:
    case_files: CaseFiles = request.app.state.case_files
    return case_files


async def _province(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)]
) -> str:
    reader: ProvinceAssertions = request.app.state.assertions
    if credentials is None:
        raise assertions.AssertionMissingError
    return await reader.province_of(credentials.credentials)


async def _tracked(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_tracking)]
) -> dict[str, Any]:
    reader: TokenReader = request.app.state.tracking_tokens
    if credentials is None:
        raise domain.TrackingTokenMissingError
    try:
        claims = reader.read(credentials.credentials)
    except TokenError as error:
        raise domain.TrackingTokenInvalidError(type(error).__name__) from None
    if "sub" not in claims:
        raise domain.TrackingTokenInvalidError("a token of no request")
    return claims


async def _tracking_code(claims: Annotated[dict[str, Any], Depends(_tracked)]) -> str:
    return str(claims["sub"])


async def _replier(request: Request, claims: Annotated[dict[str, Any], Depends(_tracked)]) -> Visitor:
    """Give the applicant, if the experts wait for a reply of theirs."""
    if "reply" not in claims.get("actions", []):
        raise domain.ReplyNotPossibleError
    reply_files: ReplyFiles = request.app.state.reply_files
    return await reply_files.visitor(str(claims["sub"]))


CaseFilesDep = Annotated[CaseFiles, Depends(_case_files)]
ProvinceDep = Annotated[str, Depends(_province)]
ReplierDep = Annotated[Visitor, Depends(_replier)]
_NO_REPLY = (
    domain.TrackingTokenMissingError,
    domain.TrackingTokenInvalidError,
    domain.ReplyNotPossibleError,
    domain.RequestNotFoundError,
)
_ONE_FILE: dict[str, Any] = {"file": {"type": "string", "format": "binary"}}


def _multipart(properties: dict[str, Any]) -> dict[str, Any]:
    """Describe a form with a file, which is read by hand."""
    schema = {"type": "object", "required": sorted(properties, reverse=True), "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.get(
    "/api/province/files/{file_id}",
    summary="Get a link to a file of one of the province's cases",
    responses=problems(*_NO_PROVINCE, domain.FileNotFoundHereError),
)
async def link_for_province(
    file_id: UUID, response: Response, province: ProvinceDep, case_files: CaseFilesDep
) -> LinkView:
    """Answer a link good for a minute."""
    response.headers.update(_PRIVATE)
    return _link(await case_files.link_for_province(province, str(file_id)))


@router.post(
    "/api/province/files",
    status_code=201,
    summary="Put up a file for an answer",
    responses=problems(
        *_NO_PROVINCE,
        domain.CaseNotFoundError,
        domain.TooManyAnswerFilesError,
        *BAD_FILES,
        StorageUnavailableError,
    ),
    openapi_extra=_multipart({"tracking_code": {"type": "string", "pattern": "^[0-9]{12}$"}} | _ONE_FILE),
)
async def put_up_for_answer(
    request: Request, response: Response, province: ProvinceDep, case_files: CaseFilesDep
) -> AttachmentView:
    """Take a file for a case of the province; the answer names it by its id."""
    response.headers.update(_PRIVATE)
    async with file_form(request) as form:
        file, tracking_code = form.get("file"), form.get("tracking_code")
        if not isinstance(file, UploadFile):
            raise files.FileMissingError
        if not isinstance(tracking_code, str) or not _CODE.fullmatch(tracking_code):
            raise domain.CaseNotFoundError
        kept = await case_files.put_up(province, tracking_code, file.file, file.filename or "")
    return AttachmentView.model_validate(kept, from_attributes=True)


@router.get(
    "/api/files/{file_id}",
    summary="Get a link to a file of the tracked request",
    responses=problems(
        domain.TrackingTokenMissingError, domain.TrackingTokenInvalidError, domain.FileNotFoundHereError
    ),
)
async def link_for_applicant(
    file_id: UUID,
    response: Response,
    tracking_code: Annotated[str, Depends(_tracking_code)],
    case_files: CaseFilesDep,
) -> LinkView:
    """Answer a link good for a minute, to a file of the answer or of the request."""
    response.headers.update(_PRIVATE)
    return _link(await case_files.link_for_applicant(tracking_code, str(file_id)))


@router.post(
    "/api/files",
    status_code=201,
    summary="Put up one file for a reply",
    responses=problems(
        *_NO_REPLY,
        *BAD_FILES,
        domain.TooManyFilesError,
        RateLimitExceededError,
        StorageUnavailableError,
    ),
    openapi_extra=_multipart(_ONE_FILE),
)
async def put_up_for_reply(
    request: Request, response: Response, replier: ReplierDep, intake: IntakeDep
) -> AttachmentView:
    """Take a file while the experts wait for a reply; the reply names it by its id, within a day."""
    response.headers.update(_PRIVATE)
    return await take_file(request, replier, intake)


@router.delete(
    "/api/files/{file_id}",
    status_code=204,
    summary="Take back a file that no reply has named",
    responses=problems(*_NO_REPLY, domain.AttachmentNotFoundError, StorageUnavailableError),
)
async def take_back(file_id: UUID, replier: ReplierDep, intake: IntakeDep) -> None:
    """Remove the file, if it is this person's."""
    await intake.detach(replier, file_id)


def _link(url: str) -> LinkView:
    return LinkView(url=url, expires_at=datetime.now(UTC) + timedelta(seconds=LINK_SECONDS))
