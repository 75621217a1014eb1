"""Public routes for the catalogue, requests and the keys of receipts."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from desk.chassis.app import IdempotencyKey, problems, source_of
from desk.chassis.moments import Moment
from desk.chassis.problem import IdempotencyKeyMissingError, RateLimitExceededError, ServiceUnavailableError
from desk.intake import domain
from desk.intake.domain import IdentityState
from desk.intake.events import Named, Titled
from desk.intake.forms import Submission
from desk.intake.routes.dependencies import NO_IDENTITY, IdentityTokenDep, ServicesDep
from desk.intake.service.receipts import Receipts
from desk.intake.service.requests import Submitted
from desk.iran.jalali import local_text
from desk.iran.offices import office
from desk.iran.phone import mask_phone
from desk.iran.provinces import province
from desk.versions.errors import DraftNotFoundError

router = APIRouter()


class RequestView(BaseModel):
    """The data of a request for tracking and receipts."""

    tracking_code: str
    submitted_at: Moment
    submitted_local: str
    """The same moment in Jalali and Tehran time, ``1405-09-22 14:30``."""
    due_at: Moment
    due_local: str
    province: Named
    office: Named
    """The office that receives it: that of the province, or headquarters."""
    subject: Titled
    sub_subject: Titled


class SignedReceiptView(BaseModel):
    """A proof for the applicant: a compact JWS, which the page shows as a QR code of the address that verifies it."""

    token: str


class ProvinceView(BaseModel):
    """A province; ``area_code`` is that of its landlines."""

    key: str
    name: str
    area_code: str


class CatalogView(BaseModel):
    """What a request may name now, in this version. The keys are stable; ``limits`` are those of the form.

    Notices and closures are the ones that are valid now: with a closure of the desk no request is accepted.
    """

    version: int
    provinces: list[ProvinceView]
    subjects: list[domain.Subject]
    notices: list[domain.Notice]
    closures: list[domain.Closure]
    holidays: list[date]
    """Days off that are announced in addition to the official ones."""
    limits: dict[str, object]


class ReceiptKey(BaseModel):
    """A public key as a JWK (RFC 8037); receipts signed with it have its ``kid`` in their header."""

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
    """The response to a submission; ``state`` is the state at submission, even if it has changed since."""

    state: Literal["registered", "identity_pending"]
    national_id_masked: str
    mobile_masked: str
    """The number to which the SMS with the tracking code goes; empty if there is none."""
    text: str
    """The text as it is stored, which the signed receipt proves."""
    attachments: int
    source: domain.Source
    representative: str | None
    """The name of the person who sent it for the applicant, if another person did."""
    receipt: SignedReceiptView


@router.get(
    "/api/catalog",
    summary="Provinces, subjects and limits",
    response_model=CatalogView,
    responses={304: {"description": "The caller has this version."}},
)
async def catalog(request: Request, services: ServicesDep) -> Response:
    """Return the catalogue that is valid now, or 304 if the caller has it already."""
    return respond_with(services.catalog.get().document, request, "public, max-age=20")


@router.get(
    "/api/catalog/previews/{preview}",
    summary="A draft of the catalogue",
    response_model=CatalogView,
    responses=problems(DraftNotFoundError),
)
async def preview(
    preview: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{32}$")], request: Request, services: ServicesDep
) -> Response:
    """Return a draft as pages show it once it is in force; the random value in the address permits it."""
    return respond_with(await services.catalog_drafts.preview(preview), request, "no-store")


def respond_with(document: domain.CatalogDocument, request: Request, cache: str) -> Response:
    """Return a catalogue in the encoding that the caller accepts."""
    headers = {"ETag": f"W/{document.etag}", "Cache-Control": cache, "Vary": "Accept-Encoding"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if known & {document.etag, "*"}:
        return Response(status_code=304, headers=headers)
    if _accepts_gzip(request.headers.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return Response(document.compressed, media_type="application/json", headers=headers)
    return Response(document.body, media_type="application/json", headers=headers)


@router.post(
    "/api/requests",
    status_code=201,
    summary="Submit a request",
    responses=problems(
        *NO_IDENTITY,
        IdempotencyKeyMissingError,
        domain.IdempotencyKeyReusedError,
        domain.RequestRepeatedError,
        domain.RepresentativeIsApplicantError,
        domain.NamesMissingError,
        domain.NamesNotExpectedError,
        domain.UnknownProvinceKeyError,
        domain.UnknownSubjectError,
        domain.UnknownSubSubjectError,
        domain.ExtraFieldsError,
        domain.DeskClosedError,
        domain.SubSubjectClosedError,
        domain.UnknownAttachmentError,
        domain.MobileMismatchError,
        domain.MobileNotIranianError,
        domain.MobileCodeMissingError,
        domain.MobileCodeWrongError,
        domain.MobileCodeExpiredError,
        RateLimitExceededError,
        domain.CaptchaWrongError,
        domain.CaptchaExpiredError,
        ServiceUnavailableError,
    ),
)
async def submit(
    *,
    form: Submission,
    request: Request,
    response: Response,
    token: IdentityTokenDep,
    key: IdempotencyKey,
    services: ServicesDep,
) -> Receipt:
    """Submit a request; a repeat with the same Idempotency-Key returns the same response."""
    response.headers["Cache-Control"] = "no-store"
    if token.office:
        raise domain.IdentityTokenInvalidError("the token of an office")
    return view_receipt(
        await services.submission.submit(token.identity, key, form, source_of(request)), services.receipts
    )


@router.get("/api/receipt-keys", summary="Public keys of receipts")
async def receipt_keys(response: Response, services: ServicesDep) -> ReceiptKeys:
    """Return the keys that verify receipts: the current one, former ones, and the next one."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return ReceiptKeys.model_validate(services.receipts.keys())


def _accepts_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header names gzip without a weight, as browsers, httpx and curl write it."""
    return "gzip" in {each.strip() for each in accepted.split(",")}


def describe_request(request: domain.Request) -> dict[str, object]:
    """Return the fields of a :class:`RequestView`."""
    return {
        "tracking_code": request.tracking_code,
        "submitted_at": request.submitted_at,
        "submitted_local": local_text(request.submitted_at),
        "due_at": request.due_at,
        "due_local": local_text(request.due_at),
        "province": Named(key=request.province, name=province(request.province).name),
        "office": Named(key=request.first_office, name=office(request.first_office).name),
        "subject": Titled(key=request.subject.key, title=request.subject.title),
        "sub_subject": Titled(key=request.sub_subject.key, title=request.sub_subject.title),
    }


def view_receipt(submitted: Submitted, receipts: Receipts) -> Receipt:
    """Return the response to a submission."""
    registered = submitted.request.identity is IdentityState.KNOWN
    representative = submitted.request.origin.representative
    return Receipt.model_validate(
        describe_request(submitted.request)
        | {
            "state": "registered" if registered else "identity_pending",
            "national_id_masked": domain.mask_number(submitted.request.applicant.national_id),
            "text": submitted.request.content.text,
            "mobile_masked": mask_phone(submitted.request.contact.mobile),
            "attachments": len(submitted.attachments),
            "source": submitted.request.origin.source,
            "representative": representative.name if representative else None,
            "receipt": {"token": receipts.sign(submitted.request, submitted.attachments)},
        }
    )
