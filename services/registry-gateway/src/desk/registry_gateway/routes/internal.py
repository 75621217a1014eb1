"""The internal routes, for other services of the desk."""

from fastapi import APIRouter

from desk.chassis.app import problems
from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.chassis.service_tokens import CallerUnknownError, called_by
from desk.registry_gateway.domain import IdentityDeceasedError, IdentityNotMatchedError, IdentityReferredError
from desk.registry_gateway.forms import (
    Confirmation,
    LookupsView,
    MatchedView,
    MobileQuery,
    MobileView,
    NumberQuery,
    OfficeQuery,
    PendingView,
    PersonQuery,
    view_of,
)
from desk.registry_gateway.routes.dependencies import ServicesDep

router = APIRouter()


@router.post(
    "/internal/identities",
    dependencies=[called_by("intake")],
    summary="Confirm a pair that was accepted while the registry was unavailable",
    response_model_exclude_none=True,
    responses=problems(CallerUnknownError, ServiceUnavailableError),
)
async def confirm(query: PersonQuery, services: ServicesDep) -> Confirmation:
    """Look a pair up for a service of the desk; the limit of mismatches for a number applies."""
    return Confirmation.of(await services.identities.confirm(query.national_id, query.birth_date))


@router.post(
    "/internal/office-identities",
    dependencies=[called_by("intake")],
    summary="Look a person up for an expert of an office",
    responses=problems(
        CallerUnknownError,
        IdentityNotMatchedError,
        IdentityDeceasedError,
        IdentityReferredError,
        RateLimitExceededError,
        ServiceUnavailableError,
    ),
)
async def identify_for_office(query: OfficeQuery, services: ServicesDep) -> MatchedView | PendingView:
    """Return names, gender and an identity token for the office; only a token while the registry is unavailable."""
    return view_of(await services.identities.identify_for_office(query.national_id, query.birth_date, query.office))


@router.post(
    "/internal/lookups",
    dependencies=[called_by("tracking")],
    summary="List when a person was looked up, and for what purpose",
    responses=problems(CallerUnknownError, ServiceUnavailableError),
)
async def lookups(query: NumberQuery, services: ServicesDep) -> LookupsView:
    """Return a person's look-ups from the ledger."""
    return LookupsView.of(await services.identities.list_lookups(query.national_id))


@router.post(
    "/internal/mobiles",
    dependencies=[called_by("intake")],
    summary="Check whether a mobile belongs to a national ID",
    responses=problems(CallerUnknownError, ServiceUnavailableError),
)
async def check_mobile(query: MobileQuery, services: ServicesDep) -> MobileView:
    """Ask the register of mobiles, if this desk is configured to."""
    return MobileView(outcome=await services.identities.check_mobile(query.national_id, query.mobile))
