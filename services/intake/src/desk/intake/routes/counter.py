"""Routes for offices that register requests for persons, at the counter and on the telephone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from desk.chassis.app import IdempotencyKey, problems, source_of
from desk.chassis.client_assertions import ASSERTION_ERRORS
from desk.chassis.problem import IdempotencyKeyMissingError, RateLimitExceededError, ServiceUnavailableError
from desk.intake import domain
from desk.intake.counter_clients import CounterIdentity, SentCode
from desk.intake.counter_forms import CounterIdentityForm, CounterSubmission, MobileCodeForm
from desk.intake.routes.dependencies import NO_IDENTITY, ServicesDep, read_identity_token
from desk.intake.routes.requests import Receipt, view_receipt
from desk.intake.service.requests import Registrar

router = APIRouter()
_assertion = HTTPBearer(auto_error=False, scheme_name="counter_assertion", description="an office's assertion")


async def _registrar(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)],
) -> Registrar:
    assertion = credentials.credentials if credentials is not None else None
    source = source_of(request)
    return Registrar(await services.counter_assertions.client_of(assertion, source), source)


RegistrarDep = Annotated[Registrar, Depends(_registrar)]
"""The office of the caller's assertion. Raises the errors of ``ASSERTION_ERRORS``."""


@router.post(
    "/api/office/identities",
    summary="Look a person up at the counter",
    responses=problems(
        *ASSERTION_ERRORS,
        domain.IdentityInputError,
        domain.IdentityNotMatchedError,
        domain.IdentityDeceasedError,
        domain.IdentityReferredError,
        RateLimitExceededError,
        ServiceUnavailableError,
    ),
)
async def identify(
    form: CounterIdentityForm, response: Response, registrar: RegistrarDep, services: ServicesDep
) -> CounterIdentity:
    """Return names and an identity token of the office; only a token while the civil registry is unavailable."""
    response.headers["Cache-Control"] = "no-store"
    return await services.counter.identify(form, registrar)


@router.post(
    "/api/office/mobile-codes",
    status_code=201,
    summary="Send a code to a person's mobile, as consent",
    responses=problems(
        *ASSERTION_ERRORS,
        RateLimitExceededError,
        domain.CodesOffError,
        domain.CodesExhaustedError,
        ServiceUnavailableError,
    ),
)
async def send_code(
    form: MobileCodeForm, response: Response, registrar: RegistrarDep, services: ServicesDep
) -> SentCode:
    """Send a code by SMS; the registration names its id and the code that the person reads out."""
    response.headers["Cache-Control"] = "no-store"
    return await services.counter.send_code(form, registrar)


@router.post(
    "/api/office/requests",
    status_code=201,
    summary="Register a request for a person",
    responses=problems(
        *ASSERTION_ERRORS,
        domain.ExtraFieldsError,
        domain.DeskClosedError,
        domain.SubSubjectClosedError,
        *NO_IDENTITY,
        domain.IdentityOfOtherOfficeError,
        domain.ProvinceOfOtherOfficeError,
        IdempotencyKeyMissingError,
        domain.IdempotencyKeyReusedError,
        domain.RequestRepeatedError,
        domain.RepresentativeIsApplicantError,
        domain.NamesMissingError,
        domain.NamesNotExpectedError,
        domain.UnknownProvinceKeyError,
        domain.UnknownSubjectError,
        domain.UnknownSubSubjectError,
        domain.UnknownAttachmentError,
        domain.MobileMismatchError,
        domain.MobileCodeMissingError,
        domain.MobileCodeWrongError,
        domain.MobileCodeExpiredError,
        RateLimitExceededError,
        ServiceUnavailableError,
    ),
)
async def register(
    *,
    form: CounterSubmission,
    response: Response,
    registrar: RegistrarDep,
    key: IdempotencyKey,
    services: ServicesDep,
) -> Receipt:
    """Register a request; a repeat with the same Idempotency-Key returns the same response."""
    response.headers["Cache-Control"] = "no-store"
    token = read_identity_token(services, form.identity_token)
    if token.office != registrar.office:
        raise domain.IdentityOfOtherOfficeError
    submitted = await services.counter.register(token.identity, key, form, registrar)
    return view_receipt(submitted, services.receipts)
