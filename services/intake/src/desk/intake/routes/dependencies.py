"""The services and callers that routes depend on."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from desk.chassis.app import source_of
from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import TokenError, TokenExpiredError, TokenReader
from desk.database import Database
from desk.intake import domain
from desk.intake.domain import Identity, Person, Uploader
from desk.intake.service.attachments import Uploads
from desk.intake.service.case_files import CaseFiles
from desk.intake.service.catalog_drafts import CatalogDrafts
from desk.intake.service.counter import Counter
from desk.intake.service.current_catalog import CurrentCatalog
from desk.intake.service.erased_codes import ErasedCodes
from desk.intake.service.probes import Probes
from desk.intake.service.receipts import Receipts
from desk.intake.service.reply_attachments import ReplyAttachments
from desk.intake.service.requests import RequestSubmission
from desk.intake.service.submitted_requests import SubmittedRequests
from desk.versions.callers import Editing

_identity = HTTPBearer(auto_error=False, description="identity token")
_assertion = HTTPBearer(auto_error=False, scheme_name="assertion", description="an office's assertion")
_tracking = HTTPBearer(auto_error=False, scheme_name="tracking", description="tracking token")

NO_IDENTITY = (
    domain.IdentityTokenMissingError,
    domain.IdentityTokenInvalidError,
    domain.IdentityTokenExpiredError,
)
"""The errors of :data:`IdentityTokenDep` and :data:`UploaderDep`."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the routes need; ``create_app`` sets it as ``app.state.services``."""

    database: Database
    catalog: CurrentCatalog
    submission: RequestSubmission
    requests: SubmittedRequests
    uploads: Uploads
    case_files: CaseFiles
    reply_attachments: ReplyAttachments
    receipts: Receipts
    erased_codes: ErasedCodes
    identity_tokens: TokenReader
    tracking_tokens: TokenReader
    assertions: ClientAssertions
    catalog_drafts: CatalogDrafts
    editing: Editing
    counter: Counter
    counter_assertions: ClientAssertions
    probes: Probes


async def get_services(request: Request) -> Services:
    """Return the services of the app."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A verified identity token and its id."""

    identity: Identity
    id: str
    office: str = ""
    """The office that looked the person up; empty for a token of the public pages."""


async def _identity_token(
    services: ServicesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_identity)]
) -> IdentityToken:
    if credentials is None:
        raise domain.IdentityTokenMissingError
    return read_identity_token(services, credentials.credentials)


def read_identity_token(services: Services, text: str) -> IdentityToken:
    """Verify an identity token. Raises IdentityTokenExpiredError or IdentityTokenInvalidError."""
    try:
        claims = services.identity_tokens.read(text)
    except TokenExpiredError:
        raise domain.IdentityTokenExpiredError from None
    except TokenError as error:
        raise domain.IdentityTokenInvalidError(str(error)) from None
    try:
        identity = Identity(claims["sub"], claims["birth_date"], _person(claims))
        return IdentityToken(identity, claims["jti"], str(claims.get("office", "")))
    except KeyError as missing:
        raise domain.IdentityTokenInvalidError(f"a token without {missing}") from None


def _person(claims: dict[str, Any]) -> Person | None:
    """Return the names from the registry; None if the registry had not answered."""
    if claims["status"] == "pending":
        return None
    return Person(claims["first_name"], claims["last_name"], claims["gender"])


IdentityTokenDep = Annotated[IdentityToken, Depends(_identity_token)]


async def _uploader(token: IdentityTokenDep) -> Uploader:
    return Uploader(token.identity.national_id, upload_session=token.id)


UploaderDep = Annotated[Uploader, Depends(_uploader)]


async def _office(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)],
) -> str:
    assertion = credentials.credentials if credentials is not None else None
    return await services.assertions.client_of(assertion, source_of(request))


OfficeDep = Annotated[str, Depends(_office)]
"""The office of the caller's assertion. Raises the errors of ``ASSERTION_ERRORS``."""


async def _tracking_claims(
    services: ServicesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_tracking)]
) -> dict[str, Any]:
    if credentials is None:
        raise domain.TrackingTokenMissingError
    try:
        claims = services.tracking_tokens.read(credentials.credentials)
    except TokenError as error:
        raise domain.TrackingTokenInvalidError(type(error).__name__) from None
    if "sub" not in claims:
        raise domain.TrackingTokenInvalidError("a token without a request")
    return claims


_TrackingClaims = Annotated[dict[str, Any], Depends(_tracking_claims)]


async def _tracking_code(claims: _TrackingClaims) -> str:
    return str(claims["sub"])


TrackingCodeDep = Annotated[str, Depends(_tracking_code)]


async def _reply_uploader(services: ServicesDep, claims: _TrackingClaims) -> Uploader:
    """Return the applicant if the experts wait for a reply. Raises ReplyNotPossibleError or RequestNotFoundError."""
    if "reply" not in claims.get("actions", []):
        raise domain.ReplyNotPossibleError
    return await services.reply_attachments.uploader(str(claims["sub"]))


ReplyUploaderDep = Annotated[Uploader, Depends(_reply_uploader)]
