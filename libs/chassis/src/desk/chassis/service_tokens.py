"""Service tokens: how a service proves to another one which service it is.

A token is a JWT (Ed25519) that the caller signs with its own key, valid for a minute and for one callee. The caller
uses it again until shortly before its end. Internal routes name the services that may call them.
"""

import time
from collections.abc import Collection, Generator, Mapping
from typing import Annotated

import httpx
from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from fastapi import Depends, Request
from fastapi.params import Depends as DependsParameter
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from httpx_aiohttp import AiohttpTransport

from desk.chassis.crypto import TokenError, TokenIssuer, TokenReader, split_pems
from desk.chassis.problem import DomainError
from desk.chassis.tracing import TracedTransport

TOKEN_SECONDS = 60
_RENEW_SECONDS = 20
"""A token with less time left is renewed, so that it does not expire on its way."""
_REMEMBERED = 64
CONNECTIONS_MAX = 100
IDLE_SECONDS = 4.0
"""How long a client keeps an idle connection: shorter than a service serves after SIGTERM."""

_bearer = HTTPBearer(auto_error=False, scheme_name="service-token", description="a signed token of a service")


class CallerUnknownError(DomainError):
    """The caller of an internal route has not proved that it is a service that may call it."""

    status, code = 401, "service_token_invalid"
    title = "این نشانی ویژهٔ سرویس‌های میز خدمت است و توکن معتبر می‌خواهد."


class _TokenAuth(httpx.Auth):
    """Adds the caller's token to each request."""

    def __init__(self, issuer: TokenIssuer, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._token, self._expires_at = "", 0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._expires_at - time.time() < _RENEW_SECONDS:
            self._token, self._expires_at = self._issuer.issue({}, audience=self._audience, seconds=TOKEN_SECONDS)
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class ServiceTokens:
    """Signs the tokens of one service."""

    def __init__(self, private_key: str, service: str) -> None:
        """``private_key`` is a PEM of Ed25519, ``service`` the caller's name such as ``intake``."""
        self._issuer = TokenIssuer(private_key, service)

    def auth_for(self, callee: str) -> httpx.Auth:
        """Return the authentication of a client that calls ``callee``."""
        return _TokenAuth(self._issuer, callee)

    def client(self, callee: str, url: str, timeout_seconds: float) -> httpx.AsyncClient:
        """Return a client of ``callee`` at ``url``; connections are opened on first use.

        It calls over aiohttp, which needs a quarter of the CPU time of httpx's own transport.
        """
        transport = TracedTransport(callee, AiohttpTransport(client=_session))
        return httpx.AsyncClient(base_url=url, timeout=timeout_seconds, auth=self.auth_for(callee), transport=transport)


def _session() -> ClientSession:
    connector = TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=IDLE_SECONDS)
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar())


class Callers:
    """The services that may call the internal routes of ``service``, each with its public keys."""

    def __init__(self, service: str, public_keys: Mapping[str, str]) -> None:
        """``public_keys`` has PEMs by caller; during a rotation a caller has two, one after the other in one text."""
        self._readers = [
            (caller, TokenReader(key, issuer=caller, audience=service, longest_seconds=TOKEN_SECONDS))
            for caller, keys in public_keys.items()
            for key in split_pems(keys)
        ]
        self._verified: dict[str, tuple[str, int]] = {}

    def identify(self, token: str, allowed: Collection[str]) -> str:
        """Return the caller, which is one of ``allowed``. Raises CallerUnknownError."""
        caller, expires_at = self._verified.get(token, ("", 0))
        if caller not in allowed or expires_at <= time.time():
            caller, expires_at = self._verify(token, allowed)
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[token] = (caller, expires_at)
        return caller

    def _verify(self, token: str, allowed: Collection[str]) -> tuple[str, int]:
        reason = "no key of an allowed caller"
        for caller, reader in self._readers:
            if caller in allowed:
                try:
                    return caller, int(reader.read(token)["exp"])
                except TokenError as error:
                    reason = str(error) or type(error).__name__
        raise CallerUnknownError(reason)


def called_by(*services: str) -> DependsParameter:
    """Return the dependency of a route that only these services may call. It raises CallerUnknownError."""

    async def require_caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> str:
        callers: Callers = request.app.state.callers
        if credentials is None:
            raise CallerUnknownError("no token")
        return callers.identify(credentials.credentials, services)

    dependency: DependsParameter = Depends(require_caller)
    return dependency
