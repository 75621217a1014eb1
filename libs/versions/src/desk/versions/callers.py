"""The people of headquarters who call the routes, and what the routes use."""

from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from desk.chassis.app import source_of
from desk.chassis.client_assertions import ASSERTION_ERRORS, ClientAssertions
from desk.iran.offices import HEADQUARTERS
from desk.versions.drafts import Drafts, Editor
from desk.versions.errors import NotHeadquartersError, PersonMissingError

EDITOR_ERRORS = (*ASSERTION_ERRORS, NotHeadquartersError, PersonMissingError)
_assertion = HTTPBearer(auto_error=False, scheme_name="assertion", description="an office's assertion")


@dataclass(frozen=True, slots=True)
class Editing:
    """What the routes use: the drafts, and the assertions for their audience."""

    drafts: Drafts[Any]
    assertions: ClientAssertions


class HasEditing(Protocol):
    """The services of an app with these routes, in ``app.state.services``."""

    @property
    def editing(self) -> Editing:
        """The drafts and the assertions."""


async def _drafts(request: Request) -> Drafts[Any]:
    services: HasEditing = request.app.state.services
    return services.editing.drafts


async def _editor(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)]
) -> Editor:
    services: HasEditing = request.app.state.services
    assertion, source = credentials.credentials if credentials is not None else None, source_of(request)
    caller = await services.editing.assertions.caller_of(assertion, source)
    if caller.client != HEADQUARTERS.key:
        raise NotHeadquartersError
    if caller.person is None:
        raise PersonMissingError
    return Editor(caller.person.casefold(), source)


DraftsDep = Annotated[Drafts[Any], Depends(_drafts)]
EditorDep = Annotated[Editor, Depends(_editor)]
"""The person of headquarters who is named by the assertion. Raises the errors of :data:`EDITOR_ERRORS`."""
