"""Keys of services, so that tests can call internal routes as another service would."""

from collections.abc import Generator
from functools import cache

import httpx

from desk.chassis.crypto import new_key_pair
from desk.chassis.service_tokens import ServiceTokens


@cache
def key_pair(service: str) -> tuple[str, str]:  # noqa: ARG001 - the cache has one pair for each
    """Return the key pair (PEM) with which a service signs its tokens: private, public. One for each test process."""
    return new_key_pair()


def public_keys(*services: str) -> dict[str, str]:
    """Return the setting ``service_public_keys`` of a service that these services call."""
    return {service: key_pair(service)[1] for service in services}


class InternalAuth(httpx.Auth):
    """Adds the token of ``caller`` to the requests for internal routes of ``callee``, and to no others."""

    def __init__(self, caller: str, callee: str) -> None:
        self._auth = ServiceTokens(key_pair(caller)[0], caller).auth_for(callee)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.url.path.startswith("/internal/"):
            yield from self._auth.auth_flow(request)
        else:
            yield request
