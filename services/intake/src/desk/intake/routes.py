"""Intake's public routes: catalogue, attachments, requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from desk.chassis.app import problems
from desk.chassis.crypto import TokenError, TokenExpiredError, TokenReader
from desk.chassis.events import Moment
from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.intake import domain, files
from desk.intake.catalog import FILE_BYTES_MAX, catalog_json
from desk.intake.domain import Bearer, IdentityState, Person
from desk.intake.events import Named, Titled
from desk.intake.forms import Submission
from desk.intake.receipts import Receipts
from desk.intake.service import Intake, StorageUnavailableError, Submitted, Visitor
from desk.iran.provinces import province

router = APIRouter()
_bearer = HTTPBearer(auto_error=False, description="identity token")
BODY_LIMITS = {"/api/attachments": FILE_BYTES_MAX + 16 * 1024}
"""A file may be 7 MiB; what a form puts around it comes on top."""
_KEY_MIN, _KEY_MAX = 8, 64
_PRIVATE = {"Cache-Control": "no-store"}


async def _intake(request: Request) -> Intake:
    intake: Intake = request.app.state.intake
    return intake


async def _visitor(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Visitor:
    reader: TokenReader = request.app.state.identity
    if credentials is None:
        raise domain.IdentityTokenMissingError
    try:
        claims = reader.read(credentials.credentials)
    except TokenExpiredError:
        raise domain.IdentityTokenExpiredError from None
    except TokenError as error:
        raise domain.IdentityTokenInvalidError(str(error)) from None
    try:
        return Visitor(Bearer(claims["sub"], claims["birth_date"], _person(claims)), claims["jti"])
    except KeyError as missing:
        raise domain.IdentityTokenInvalidError(f"a token without {missing}") from None


def _person(claims: dict[str, Any]) -> Person | None:
    """Read whom the registry has named; None if the token says that it has not answered."""
    if claims["status"] == "pending":
        return None
    return Person(claims["first_name"], claims["last_name"], claims["gender"])


async def _idempotency_key(
    idempotency_key: Annotated[
        str | None, Header(description=f"{_KEY_MIN} to {_KEY_MAX} letters, digits or hyphens, e.g. a UUID")
    ] = None,
) -> str:
    key = idempotency_key or ""
    if not _KEY_MIN <= len(key) <= _KEY_MAX or not key.isascii() or not key.replace("-", "").isalnum():
        raise domain.IdempotencyKeyMissingError
    return key


IntakeDep = Annotated[Intake, Depends(_intake)]
VisitorDep = Annotated[Visitor, Depends(_visitor)]
_NO_IDENTITY = (
    domain.IdentityTokenMissingError,
    domain.IdentityTokenInvalidError,
    domain.IdentityTokenExpiredError,
)
BAD_FILES = (
    files.FormUnreadableError,
    files.FileTooLargeError,
    files.FileTypeForbiddenError,
    files.FileTypeMismatchError,
    files.FileEmptyError,
    files.FileMissingError,
)


class AttachmentView(BaseModel):
    """A file that was put up; ``size`` in bytes, ``sha256`` in hex."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class RequestView(BaseModel):
    """What tracking and receipts need to know of a request."""

    tracking_code: str
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled


class SignedReceiptView(BaseModel):
    """A proof for the applicant to keep: a compact JWS, and an SVG with the QR of the address where it is checked."""

    token: str
    qr: str


class ReceiptKey(BaseModel):
    """A public key as a JWK (RFC 8037); ``kid`` is what receipts signed with it name."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    alg: Literal["Ed25519"]
    use: Literal["sig"]


class ReceiptKeys(BaseModel):
    """A JWK set (RFC 7517)."""

    keys: list[ReceiptKey]


class Receipt(RequestView):
    """The answer to a submission; ``state`` is how it was taken, whatever has become of it since."""

    state: Literal["registered", "identity_pending"]
    national_id_masked: str
    attachments: int
    receipt: SignedReceiptView


@router.get("/api/catalog", summary="Provinces, subjects and limits")
async def catalog(request: Request) -> Response:
    """Answer the catalogue, or 304 if the caller has this version already."""
    body, etag = catalog_json()
    headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if known & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.post(
    "/api/attachments",
    status_code=201,
    summary="Put up one file",
    responses=problems(
        *_NO_IDENTITY,
        *BAD_FILES,
        domain.TooManyFilesError,
        RateLimitExceededError,
        StorageUnavailableError,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                }
            },
        }
    },
)
async def put_up(request: Request, response: Response, visitor: VisitorDep, intake: IntakeDep) -> AttachmentView:
    """Take a file only from somebody with an identity: the body is not read before that is clear."""
    response.headers.update(_PRIVATE)
    return await take_file(request, visitor, intake)


async def take_file(request: Request, visitor: Visitor, intake: Intake) -> AttachmentView:
    """Count an upload, and only then read its form and keep the file."""
    await request.app.state.rate_limits.reserve(
        request.app.state.uploads_per_identity, "uploads", intake.vault.index(visitor.bearer.national_id, "uploads")
    )
    async with file_form(request) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise files.FileMissingError
        attachment = await intake.attach(visitor, file.file, file.filename or "")
    return AttachmentView.model_validate(attachment, from_attributes=True)


@asynccontextmanager
async def file_form(request: Request) -> AsyncIterator[FormData]:
    """Read a form with one file. Raises FileTooLargeError or FormUnreadableError."""
    try:
        form = await request.form(max_files=1, max_fields=4)
    except HTTPException as error:
        if error.status_code == files.FileTooLargeError.status:
            raise files.FileTooLargeError from None
        raise files.FormUnreadableError(error.detail) from None
    except (UnicodeError, ClientDisconnect) as error:
        raise files.FormUnreadableError(type(error).__name__) from None
    try:
        yield form
    finally:
        await form.close()


@router.delete(
    "/api/attachments/{attachment_id}",
    status_code=204,
    summary="Take back a file that no request has claimed",
    responses=problems(*_NO_IDENTITY, domain.AttachmentNotFoundError, StorageUnavailableError),
)
async def take_back(attachment_id: UUID, visitor: VisitorDep, intake: IntakeDep) -> None:
    """Remove the file, if it is this person's."""
    await intake.detach(visitor, attachment_id)


@router.post(
    "/api/requests",
    status_code=201,
    summary="Submit a request",
    responses=problems(
        *_NO_IDENTITY,
        domain.IdempotencyKeyMissingError,
        domain.IdempotencyKeyReusedError,
        domain.NamesMissingError,
        domain.NamesNotExpectedError,
        domain.UnknownProvinceKeyError,
        domain.UnknownSubjectError,
        domain.UnknownSubSubjectError,
        domain.UnknownAttachmentError,
        domain.CaptchaWrongError,
        domain.CaptchaExpiredError,
        ServiceUnavailableError,
    ),
)
async def submit(
    form: Submission,
    response: Response,
    visitor: VisitorDep,
    key: Annotated[str, Depends(_idempotency_key)],
    intake: IntakeDep,
) -> Receipt:
    """Take the request; a repeat with the same Idempotency-Key answers the same."""
    response.headers.update(_PRIVATE)
    return _receipt(await intake.submit(visitor.bearer, key, form), intake.receipts)


@router.get("/api/receipt-keys", summary="Public keys of receipts")
async def receipt_keys(response: Response, intake: IntakeDep) -> ReceiptKeys:
    """Give the keys by which anybody can check a receipt: the present one, and those of before."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return ReceiptKeys.model_validate(intake.receipts.keys())


def request_view(request: domain.Request) -> dict[str, object]:
    """Say of a request what a :class:`RequestView` has."""
    return {
        "tracking_code": request.tracking_code,
        "submitted_at": request.submitted_at,
        "due_at": request.due_at,
        "province": Named(key=request.province, name=province(request.province).name),
        "subject": Titled(key=request.subject.key, title=request.subject.title),
        "sub_subject": Titled(key=request.sub_subject.key, title=request.sub_subject.title),
    }


def _receipt(submitted: Submitted, receipts: Receipts) -> Receipt:
    known = submitted.request.identity is IdentityState.KNOWN
    return Receipt.model_validate(
        request_view(submitted.request)
        | {
            "state": "registered" if known else "identity_pending",
            "national_id_masked": domain.masked(submitted.request.applicant.national_id),
            "attachments": len(submitted.attachments),
            "receipt": asdict(receipts.sign(submitted.request, submitted.attachments)),
        }
    )
