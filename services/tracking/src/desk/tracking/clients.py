"""Clients of intake and registry-gateway."""

import re
import time
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from desk.chassis.problem import ServiceUnavailableError
from desk.tracking.domain import (
    File,
    RequestNotFoundError,
    Subject,
    UnknownAnswerFileError,
    UnknownFileError,
    UnknownSubjectError,
)
from desk.tracking.responses import Catalog, FreshRequest, KnownCodes, Lookup, Lookups, Released, StateAtIntake

log = structlog.get_logger(__name__)

CATALOG_SECONDS = 60.0
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


_CODES = TypeAdapter(list[str], config=ConfigDict(hide_input_in_errors=True))
_FILES = TypeAdapter(list[File], config=ConfigDict(hide_input_in_errors=True))


class _Problem(BaseModel):
    """The part of an error response that is read here."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    code: str


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any], service: str) -> httpx.Response:
    return await _send(http, http.build_request("POST", path, json=body), service)


async def _send(http: httpx.AsyncClient, request: httpx.Request, service: str) -> httpx.Response:
    try:
        response = await http.send(request)
    except httpx.HTTPError as error:
        log.warning("service unreachable", peer=service, error=type(error).__name__)
        raise ServiceUnavailableError(service) from error
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ServiceUnavailableError(service)
    return response


def _unexpected(response: httpx.Response, service: str) -> ServiceUnavailableError:
    """Log a response that the service does not send: the address is wrong, or its version is another."""
    log.error("unexpected response", peer=service, status=response.status_code)
    return ServiceUnavailableError(service)


def _problem_code(response: httpx.Response) -> str | None:
    try:
        return _Problem.model_validate_json(response.content).code
    except ValidationError:
        return None


class IntakeClient:
    """A client of intake's internal API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` has the base URL and a timeout."""
        self._http = http
        self._subjects: dict[tuple[str, str], tuple[Subject, Subject]] = {}
        self._subjects_expire = 0.0

    async def state_of(self, tracking_code: str) -> StateAtIntake | None:
        """Return the state of a request at intake; None if intake has none. Raises ServiceUnavailableError."""
        response = await _post(self._http, "/internal/requests/state", {"tracking_code": tracking_code}, "intake")
        if _problem_code(response) == RequestNotFoundError.code:
            return None
        try:
            return Released.model_validate_json(response.content).state
        except ValidationError:
            raise _unexpected(response, "intake") from None

    async def find_answer_files(self, tracking_code: str, office: str, ids: Sequence[str]) -> tuple[File, ...]:
        """Return the files that an office has uploaded for its answer, in the order of ``ids``.

        Raises UnknownAnswerFileError or ServiceUnavailableError.
        """
        if not all(map(_UUID.fullmatch, ids)):
            raise UnknownAnswerFileError
        body = {"tracking_code": tracking_code, "office": office, "files": list(ids)}
        response = await _post(self._http, "/internal/requests/answer-files", body, "intake")
        if _problem_code(response) in {UnknownFileError.code, RequestNotFoundError.code}:
            raise UnknownAnswerFileError
        try:
            return tuple(_FILES.validate_json(response.content))
        except ValidationError:
            raise _unexpected(response, "intake") from None

    async def find_subject(self, subject: str, sub_subject: str) -> tuple[Subject, Subject]:
        """Return a subject and sub-subject of the catalogue, which is kept for a minute.

        Raises UnknownSubjectError or ServiceUnavailableError.
        """
        if time.monotonic() >= self._subjects_expire or (subject, sub_subject) not in self._subjects:
            self._subjects = (
                await self._read_catalog()
            ).pairs()  # again for an unknown one: it may have been added just now
            self._subjects_expire = time.monotonic() + CATALOG_SECONDS
        try:
            return self._subjects[subject, sub_subject]
        except KeyError:
            raise UnknownSubjectError from None

    async def days_off(self) -> list[date]:
        """Return the days off of the catalogue. Raises ServiceUnavailableError."""
        return (await self._read_catalog()).holidays

    async def _read_catalog(self) -> Catalog:
        response = await _send(self._http, self._http.build_request("GET", "/api/catalog"), "intake")
        try:
            return Catalog.model_validate_json(response.content)
        except ValidationError:
            raise _unexpected(response, "intake") from None

    async def find(self, national_id: str, tracking_code: str) -> FreshRequest | None:
        """Return a person's request by its code; None if intake has none. Raises ServiceUnavailableError."""
        body = {"national_id": national_id, "tracking_code": tracking_code}
        response = await _post(self._http, "/internal/requests/find", body, "intake")
        if _problem_code(response) == RequestNotFoundError.code:
            return None
        try:
            return FreshRequest.model_validate_json(response.content)
        except ValidationError:
            raise _unexpected(response, "intake") from None

    async def list_codes(self, since: datetime, until: datetime, after: str, limit: int) -> KnownCodes:
        """List intake's requests of a period, from the code after ``after``. Raises ServiceUnavailableError."""
        body = {"since": since.isoformat(), "until": until.isoformat(), "after": after, "limit": limit}
        response = await _post(self._http, "/internal/requests/codes", body, "intake")
        try:
            return KnownCodes.model_validate_json(response.content)
        except ValidationError:
            raise _unexpected(response, "intake") from None

    async def reserve_files(self, tracking_code: str, reply: str, files: Sequence[str]) -> tuple[File, ...]:
        """Reserve uploaded files for a reply; the same reply may repeat the call.

        Raises UnknownFileError or ServiceUnavailableError.
        """
        body = {"tracking_code": tracking_code, "reply": reply, "files": list(files)}
        response = await _post(self._http, "/internal/requests/files", body, "intake")
        if _problem_code(response) in {UnknownFileError.code, RequestNotFoundError.code}:
            raise UnknownFileError
        try:
            return tuple(_FILES.validate_json(response.content))
        except ValidationError:
            raise _unexpected(response, "intake") from None

    async def add_erased(self, tracking_code: str) -> None:
        """Add a code to the list of erased ones in the object store. Raises ServiceUnavailableError."""
        response = await _post(self._http, "/internal/erasures", {"tracking_code": tracking_code}, "intake")
        if response.status_code != httpx.codes.NO_CONTENT:
            raise _unexpected(response, "intake")

    async def list_erased(self, after: str, limit: int) -> list[str]:
        """Return up to ``limit`` erased codes in order, those after ``after``. Raises ServiceUnavailableError."""
        response = await _post(self._http, "/internal/erasures/list", {"after": after, "limit": limit}, "intake")
        try:
            return _CODES.validate_json(response.content)
        except ValidationError:
            raise _unexpected(response, "intake") from None


class RegistryClient:
    """A client of registry-gateway's internal API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` has the base URL and a timeout."""
        self._http = http

    async def list_lookups(self, national_id: str) -> list[Lookup]:
        """List the look-ups of a person in the civil registry, newest first. Raises ServiceUnavailableError."""
        response = await _post(self._http, "/internal/lookups", {"national_id": national_id}, "registry-gateway")
        try:
            return Lookups.model_validate_json(response.content).lookups
        except ValidationError:
            raise _unexpected(response, "registry-gateway") from None
