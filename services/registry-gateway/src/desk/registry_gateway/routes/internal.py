"""The internal routes, for other services of the desk."""

from fastapi import APIRouter

from desk.chassis.app import problems
from desk.chassis.problem import ServiceUnavailableError
from desk.registry_gateway.forms import (
    Confirmation,
    LookupsView,
    MobileQuery,
    MobileView,
    NumberQuery,
    PersonQuery,
)
from desk.registry_gateway.routes.dependencies import ServicesDep

router = APIRouter()


@router.post(
    "/internal/identities",
    summary="Confirm a pair that was accepted while the registry was unavailable",
    response_model_exclude_none=True,
    responses=problems(ServiceUnavailableError),
)
async def confirm(query: PersonQuery, services: ServicesDep) -> Confirmation:
    """Look a pair up for a service of the desk; no limit of a source or a number applies."""
    return Confirmation.of(await services.identities.confirm(query.national_id, query.birth_date))


@router.post(
    "/internal/lookups",
    summary="List when a person was looked up, and for what purpose",
    responses=problems(ServiceUnavailableError),
)
async def lookups(query: NumberQuery, services: ServicesDep) -> LookupsView:
    """Return a person's look-ups from the ledger."""
    return LookupsView.of(await services.identities.list_lookups(query.national_id))


@router.post(
    "/internal/mobiles",
    summary="Check whether a mobile belongs to a national ID",
    responses=problems(ServiceUnavailableError),
)
async def check_mobile(query: MobileQuery, services: ServicesDep) -> MobileView:
    """Ask the register of mobiles, if this desk is configured to."""
    return MobileView(outcome=await services.identities.check_mobile(query.national_id, query.mobile))
