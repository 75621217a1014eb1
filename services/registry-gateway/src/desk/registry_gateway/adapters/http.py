"""One bounded call to a bus of the state's, and what it means when that is not answered."""

import httpx

from desk.registry_gateway.domain import Klass, UnansweredError

LARGEST_ANSWER = 256 * 1024
"""Bytes; a record has one kilobyte, with a photo nobody asked for some tens."""

_CALM_STATUSES = {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}
"""What a bus says of a registry it did not reach: the call may be made again."""
_SHUT_STATUSES = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}


def open_client(user: str, password: str, connections: int, seconds: float) -> httpx.AsyncClient:
    """Make a client for a bus that wants HTTP Basic; nothing is opened before the first call."""
    return httpx.AsyncClient(
        auth=httpx.BasicAuth(user, password) if user else None,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        timeout=seconds,
        trust_env=False,
    )


async def post(http: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Send a body and return the answer's, of which no more than 256 KiB is ever read. Raises UnansweredError."""
    try:
        async with http.stream("POST", url, content=body, headers=headers) as response:
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > LARGEST_ANSWER:
                    raise UnansweredError(Klass.DOWN, "the answer has no end")
    except httpx.ConnectError as error:  # nobody heard it
        raise UnansweredError(Klass.DOWN, type(error).__name__, again=True) from error
    except httpx.HTTPError as error:
        raise UnansweredError(Klass.DOWN, type(error).__name__) from error
    status = response.status_code
    if status in _SHUT_STATUSES:
        raise UnansweredError(Klass.CONFIG, f"the bus answers {status}")
    # A SOAP fault comes with 500 and may name a code: whoever parses the answer decides.
    if not response.is_success and (status != httpx.codes.INTERNAL_SERVER_ERROR or b"Envelope" not in answer):
        raise UnansweredError(Klass.DOWN, f"the bus answers {status}", again=status in _CALM_STATUSES)
    return bytes(answer)
