"""One bounded call to a provider of SMS, and what it means when that is not answered."""

from typing import Any

import httpx

from desk.notifier.channels import ChannelDownError, DoubtfulError
from desk.notifier.domain import Trouble

TIMEOUT_SECONDS = 6.0
LARGEST_ANSWER = 256 * 1024


def open_client(url: str, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """Make a client for a provider; nothing is opened before the first call."""
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        headers=headers,
        timeout=TIMEOUT_SECONDS,
        limits=httpx.Limits(max_connections=16),
        trust_env=False,
    )


async def call(http: httpx.AsyncClient, method: str, path: str, **what: Any) -> tuple[int, dict[str, Any]]:
    """Make one call; return the status and the JSON object of the answer, an empty one if it is refused without words.

    Raises ChannelDownError if nobody heard it, and DoubtfulError if the answer was lost or is none of the provider's
    own: a 5xx or 408 without words comes from whatever broke or stands before it. The errors of httpx are not passed
    on: they hold the address, and an address may hold a key.
    """
    try:
        async with http.stream(method, path, **what) as response:
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > LARGEST_ANSWER:
                    raise DoubtfulError
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        raise ChannelDownError from None
    except httpx.HTTPError:
        raise DoubtfulError from None
    return response.status_code, _object(response, bytes(answer))


def _object(response: httpx.Response, answer: bytes) -> dict[str, Any]:
    try:
        found = httpx.Response(response.status_code, content=answer).json()
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if response.is_success or response.is_server_error or response.status_code == httpx.codes.REQUEST_TIMEOUT:
        raise DoubtfulError
    return {}


async def look(http: httpx.AsyncClient, method: str, path: str, **what: Any) -> tuple[int, dict[str, Any]]:
    """Ask for something that changes nothing: without an answer it is merely not known. Raises ChannelDownError."""
    try:
        return await call(http, method, path, **what)
    except DoubtfulError:
        raise ChannelDownError(Trouble.NO_ANSWER) from None
