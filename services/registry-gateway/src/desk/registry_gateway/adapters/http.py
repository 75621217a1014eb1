"""One HTTP call to a bus of the state, limited in size, and the meaning of its failures."""

import httpx

from desk.registry_gateway.domain import FailureKind, UnansweredError

LARGEST_ANSWER = 256 * 1024
"""Bytes. A record has about 1 KiB; with a photo, which some buses add, some tens of KiB."""

_RETRYABLE_STATUSES = {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}
"""The bus did not reach the registry, so the call may be repeated."""
_REFUSED_STATUSES = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}


def open_client(user: str, password: str, connections: int, seconds: float) -> httpx.AsyncClient:
    """Return a client for a bus with HTTP Basic; connections are opened on first use."""
    return httpx.AsyncClient(
        auth=httpx.BasicAuth(user, password) if user else None,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        timeout=seconds,
        trust_env=False,
    )


async def post(http: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Send a body and return the response's body, at most 256 KiB. Raises UnansweredError."""
    try:
        async with http.stream("POST", url, content=body, headers=headers) as response:
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > LARGEST_ANSWER:
                    raise UnansweredError(FailureKind.DOWN, "the response is too large")
    except httpx.ConnectError as error:  # the request was not sent
        raise UnansweredError(FailureKind.DOWN, type(error).__name__, retryable=True) from error
    except httpx.HTTPError as error:
        raise UnansweredError(FailureKind.DOWN, type(error).__name__) from error
    status = response.status_code
    if status in _REFUSED_STATUSES:
        raise UnansweredError(FailureKind.CONFIG, f"the bus returned {status}")
    # A SOAP fault comes with status 500 and may contain a code, which the adapter reads.
    if not response.is_success and (status != httpx.codes.INTERNAL_SERVER_ERROR or b"Envelope" not in answer):
        raise UnansweredError(FailureKind.DOWN, f"the bus returned {status}", retryable=status in _RETRYABLE_STATUSES)
    return bytes(answer)
