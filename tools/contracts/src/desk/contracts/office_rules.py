"""What an office must know beyond the schemas: allowed reports by state, reasons of refusals, and its HTTP routes."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from desk.contracts.catalogues import catalogues
from desk.tracking.domain import Party, RefusalReason, State, is_allowed
from desk.tracking.events import REPORTS, CaseCommented, CaseErased, CaseOpened, CaseReferred, CaseReport, CaseTakenOver

ROUTES: Mapping[str, tuple[str, ...]] = {
    "intake": (
        "/api/office/files",
        "/api/office/files/{file_id}",
        "/api/office/identities",
        "/api/office/mobile-codes",
        "/api/office/requests",
        "/api/attachments",
        "/api/catalog",
    ),
    "tracking": ("/api/event-keys", "/api/office/figures", "/api/office/cases/{tracking_code}"),
}
"""The paths that offices call, by service."""
STATE_CHANGES: tuple[type[CaseReport], ...] = (*REPORTS, CaseTakenOver)
_WITHOUT_CASES = {State.IDENTITY_PENDING, State.IDENTITY_REJECTED, State.ERASED}
"""States in which no office has the case, or none may report on it."""


def states() -> dict[str, Any]:
    """Return for each report the states of the case in which it is allowed, and the state that it leads to."""
    table: dict[str, Any] = {
        report.name: {
            "allowedIn": [str(state) for state in State if is_allowed(Party.PROVINCE, state, report.resulting_state)],
            "leadsTo": str(State.REGISTERED if report in {CaseReferred, CaseTakenOver} else report.resulting_state),
        }
        for report in STATE_CHANGES
    }
    anywhere = [str(state) for state in State if state not in _WITHOUT_CASES]
    table[CaseOpened.name] = {"allowedIn": anywhere, "leadsTo": None}
    table[CaseCommented.name] = {"allowedIn": anywhere, "leadsTo": None}
    table[CaseErased.name] = {"allowedIn": [str(State.ERASED)], "leadsTo": None}
    return table


def reasons(language: str = "en") -> dict[str, str]:
    """Return what an office does about each reason of a refusal. Raises KeyError for one without a text."""
    texts = catalogues()[language]["contract"]["reasons"]
    return {str(reason): texts[reason] for reason in RefusalReason}


def routes(services: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the operations of the offices' routes from the services' OpenAPI documents; schemas stay references."""
    return {path: deepcopy(services[service]["paths"][path]) for service, paths in ROUTES.items() for path in paths}


def route_schemas(services: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the schemas that the offices' routes refer to."""
    found: dict[str, Any] = {}
    for service, paths in ROUTES.items():
        schemas = services[service]["components"]["schemas"]
        wanted = [name for path in paths for name in _references(services[service]["paths"][path])]
        while wanted:
            name = wanted.pop()
            if name not in found:
                found[name] = schemas[name]
                wanted.extend(_references(schemas[name]))
    return found


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"].rpartition("/")[2]] if isinstance(part.get("$ref"), str) else []
        return own + [name for value in part.values() for name in _references(value)]
    return [name for value in part for name in _references(value)] if isinstance(part, list) else []
