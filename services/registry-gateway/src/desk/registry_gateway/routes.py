"""HTTP in: one public route for pages, three internal ones for the services of the desk."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from desk.chassis.app import problems, source_of
from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.registry_gateway.domain import (
    IdentityDeceasedError,
    IdentityNotMatchedError,
    IdentityReferredError,
    ProofExpiredError,
    ProofMissingError,
    ProofWrongError,
)
from desk.registry_gateway.forms import (
    Confirmation,
    IdentityQuery,
    LookupsView,
    MatchedView,
    MobileQuery,
    MobileView,
    NumberQuery,
    PendingView,
    PersonQuery,
    shown,
)
from desk.registry_gateway.service import RegistryDoor


async def _door(request: Request) -> RegistryDoor:
    door: RegistryDoor = request.app.state.door
    return door


Door = Annotated[RegistryDoor, Depends(_door)]
router = APIRouter()


@router.post(
    "/api/identities",
    summary="Look a person up in the civil registry",
    responses=problems(
        IdentityNotMatchedError,
        IdentityDeceasedError,
        IdentityReferredError,
        ProofMissingError,
        ProofWrongError,
        ProofExpiredError,
        RateLimitExceededError,
        ServiceUnavailableError,
    ),
)
async def identify(query: IdentityQuery, request: Request, response: Response, door: Door) -> MatchedView | PendingView:
    """Answer with names, gender and an identity token, or with a token alone while the registry gives no answer."""
    response.headers["Cache-Control"] = "no-store"
    proof = query.proof.proof() if query.proof is not None else None
    return shown(await door.identify(query.national_id, query.birth_date, source_of(request), proof))


@router.post(
    "/internal/identities",
    summary="Confirm a pair that was accepted while the registry gave no answer",
    response_model_exclude_none=True,
    responses=problems(ServiceUnavailableError),
)
async def confirm(query: PersonQuery, door: Door) -> Confirmation:
    """Ask the registry for a service of the desk; nobody's budget pays."""
    return Confirmation.of(await door.confirm(query.national_id, query.birth_date))


@router.post(
    "/internal/lookups",
    summary="List when a record was looked up, and for what",
    responses=problems(ServiceUnavailableError),
)
async def lookups(query: NumberQuery, door: Door) -> LookupsView:
    """Return a person's look-ups out of the ledger."""
    return LookupsView.of(await door.lookups(query.national_id))


@router.post(
    "/internal/mobiles",
    summary="Check whether a mobile belongs to a national ID",
    responses=problems(ServiceUnavailableError),
)
async def check_mobile(query: MobileQuery, door: Door) -> MobileView:
    """Ask the register of mobiles, where this desk does."""
    return MobileView(outcome=await door.owner(query.national_id, query.mobile))
