"""Signed calls to the desk: each has an assertion of its own, and a refusal names the desk's reason."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, ValidationError

from desk.expert.errors import CallRefusedError

ASSERTION_SECONDS = 60
TIMEOUT_SECONDS = 30.0
_ALGORITHM = "Ed25519"
_LATER = frozenset({httpx.codes.NOT_FOUND, httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})


class _Fault(BaseModel):
    model_config = ConfigDict(extra="ignore")

    field: str
    message: str


class _Problem(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: str = "unknown"
    title: str = ""
    errors: list[_Fault] = []


class SignedCalls:
    """Calls the desk as an office, for one audience of assertions."""

    def __init__(
        self,
        url: str,
        office: str,
        private_key: str,
        audience: str,
        refused: type[CallRefusedError],
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``private_key`` is the PEM of the office's own Ed25519 key; ``refused`` is raised by a call that fails."""
        self._office, self._audience, self._refused = office, audience, refused
        self._key = OKPKey.import_key(private_key)
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        stream: bool = False,
        person: str | None = None,
        more: Mapping[str, str] | None = None,
        **content: Any,
    ) -> httpx.Response:
        """Return the response of a call, also one that refuses it.

        ``person`` is the user name of the one who acts; ``more`` are headers besides the assertion.
        Raises CallRefusedError if the desk is unavailable.
        """
        headers = {**self._headers(person), **(more or {})}
        request = self._http.build_request(method, path, headers=headers, **content)
        try:
            return await self._http.send(request, stream=stream)
        except httpx.TransportError as error:
            raise self.unavailable(error) from error

    def unavailable(self, error: httpx.TransportError) -> CallRefusedError:
        """Return the error of a lost connection."""
        return self._refused("desk_away", type(error).__name__, later=True)

    def require_success(self, answer: httpx.Response) -> httpx.Response:
        """Return a response that has been read, unless it refuses the call. Raises CallRefusedError."""
        if answer.is_success:
            return answer
        try:
            problem = _Problem.model_validate_json(answer.content)
        except ValidationError:
            problem = _Problem(title=f"HTTP {answer.status_code}")
        later = answer.is_server_error or answer.status_code in _LATER
        faults = {fault.field: fault.message for fault in problem.errors}
        raise self._refused(problem.code, problem.title, later=later, faults=faults)

    def _headers(self, person: str | None) -> dict[str, str]:
        claims: dict[str, Any] = {
            "iss": self._office,
            "aud": self._audience,
            "exp": int(time.time()) + ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        if person is not None:
            claims["act"] = {"sub": person}  # RFC 8693
        token = jwt.encode({"alg": _ALGORITHM}, claims, self._key, algorithms=[_ALGORITHM])
        return {"Authorization": f"Bearer {token}"}
