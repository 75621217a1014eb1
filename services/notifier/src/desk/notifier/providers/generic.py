"""SMS through a gateway that implements the desk's own small API; docs/operations.md, section "SMS", describes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from desk.notifier.domain import AmbiguousResultError, Delivery, OutgoingMessage
from desk.notifier.providers import FailureKind, error_of
from desk.notifier.providers.http import open_client, query, request

_STATES = {"under_way": Delivery.UNDER_WAY, "delivered": Delivery.DELIVERED, "failed": Delivery.FAILED}


class GenericGateway:
    """Sends SMS through a gateway that finds a message by our reference, and detects a repeat by it."""

    detects_repeats = True

    def __init__(self, *, url: str, key: str) -> None:
        self._http = open_client(url, {"Authorization": f"Bearer {key}"})

    async def send(self, message: OutgoingMessage) -> str:
        body = {"reference": message.reference, "to": message.recipient, "text": message.text}
        status, response = await request(self._http, "POST", "/messages", json=body)
        if not httpx.codes.is_success(status):
            raise error_of(_failure_kind(status, response))
        return _id(response)

    async def find(self, message: OutgoingMessage) -> str | None:
        status, response = await query(self._http, "GET", f"/messages/{message.reference}")
        if status == httpx.codes.NOT_FOUND:
            return None
        if not httpx.codes.is_success(status):
            raise error_of(FailureKind.RETRY)
        return _id(response)

    async def fetch_reports(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        found = {}
        for message_id in ids:
            status, response = await query(self._http, "GET", f"/messages/{message_id}")
            if status == httpx.codes.NOT_FOUND:
                found[message_id] = Delivery.UNKNOWN
            elif str(response.get("state")) in _STATES:
                found[message_id] = _STATES[str(response["state"])]
        return found

    async def close(self) -> None:
        await self._http.aclose()


def _id(response: dict[str, Any]) -> str:
    found = response.get("id")
    if not isinstance(found, str) or not found:
        raise AmbiguousResultError
    return found


def _failure_kind(status: int, response: dict[str, Any]) -> FailureKind:
    """Return the kind that the response's ``code`` names, or else the one of the HTTP status."""
    try:
        return FailureKind(str(response.get("code")))
    except ValueError:
        pass
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.PAYMENT_REQUIRED}:
        return FailureKind.CONFIG
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return FailureKind.RATE_LIMIT
    return FailureKind.BUG if httpx.codes.is_client_error(status) else FailureKind.UNSURE
