"""The public route: identify an applicant."""

from fastapi import APIRouter, Request, Response

from desk.chassis.app import problems, source_of
from desk.chassis.problem import (
    ProofExpiredError,
    ProofRequiredError,
    ProofWrongError,
    RateLimitExceededError,
    ServiceUnavailableError,
)
from desk.registry_gateway.domain import (
    IdentityDeceasedError,
    IdentityNotMatchedError,
    IdentityReferredError,
    ProofMissingError,
)
from desk.registry_gateway.forms import IdentityQuery, MatchedView, PendingView, view_of
from desk.registry_gateway.routes.dependencies import ServicesDep

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
        ProofRequiredError,
        RateLimitExceededError,
        ServiceUnavailableError,
    ),
)
async def identify(
    query: IdentityQuery, request: Request, response: Response, services: ServicesDep
) -> MatchedView | PendingView:
    """Return names, gender and an identity token; only a token while the registry is unavailable."""
    response.headers["Cache-Control"] = "no-store"
    proof = query.proof.proof() if query.proof is not None else None
    found = await services.identities.identify(query.national_id, query.birth_date, source_of(request), proof)
    return view_of(found)
