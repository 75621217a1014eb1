"""HTTP requests to SMS providers with limits on time and size, and the meaning of a lost response."""

from typing import Any

import httpx

from desk.notifier.domain import AmbiguousResultError, ChannelUnavailableError, Trouble

TIMEOUT_SECONDS = 6.0
MAX_RESPONSE_BYTES = 256 * 1024


def open_client(url: str, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """Return a client for a provider; connections are opened on first use."""
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        headers=headers,
        timeout=TIMEOUT_SECONDS,
        limits=httpx.Limits(max_connections=16),
        trust_env=False,
    )


async def request(http: httpx.AsyncClient, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """Make a request; return the status and the JSON object of the response, an empty one for a refusal without JSON.

    Raises ChannelUnavailableError if the provider certainly did not receive the request. Raises AmbiguousResultError if
    the response was lost, or did not come from the provider itself: a 5xx or 408 without JSON comes from a failing
    server or a proxy. The errors of httpx are not chained: they contain the URL, and a URL may contain a key.
    """
    try:
        async with http.stream(method, path, **options) as response:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_RESPONSE_BYTES:
                    raise AmbiguousResultError
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        raise ChannelUnavailableError from None
    except httpx.HTTPError:  # a read timeout too: the provider may have accepted the message
        raise AmbiguousResultError from None
    return response.status_code, _json_object(response, bytes(body))


def _json_object(response: httpx.Response, body: bytes) -> dict[str, Any]:
    try:
        found = httpx.Response(response.status_code, content=body).json()
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if response.is_success or response.is_server_error or response.status_code == httpx.codes.REQUEST_TIMEOUT:
        raise AmbiguousResultError
    return {}


async def query(http: httpx.AsyncClient, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """Make a request that changes nothing, so that a lost response has no effect. Raises ChannelUnavailableError."""
    try:
        return await request(http, method, path, **options)
    except AmbiguousResultError:
        raise ChannelUnavailableError(Trouble.NO_ANSWER) from None
