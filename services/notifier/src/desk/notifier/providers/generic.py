"""SMS by any gateway that speaks the desk's own small contract; docs/operations.md, section "SMS", has it."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from desk.notifier.channels import DoubtfulError
from desk.notifier.domain import Delivery, OutgoingMessage
from desk.notifier.providers import Klass, refusal
from desk.notifier.providers.http import call, look, open_client

_STATES = {"under_way": Delivery.UNDER_WAY, "delivered": Delivery.DELIVERED, "failed": Delivery.FAILED}


class GenericGateway:
    """Hands SMS to a gateway that knows a message by our reference, and a repeat by it too."""

    reports = True
    knows_references = True

    def __init__(self, *, url: str, key: str) -> None:
        self._http = open_client(url, {"Authorization": f"Bearer {key}"})

    async def send(self, message: OutgoingMessage) -> str:
        body = {"reference": message.reference, "to": message.recipient, "text": message.text}
        status, answer = await call(self._http, "POST", "/messages", json=body)
        if not httpx.codes.is_success(status):
            raise refusal(_klass(status, answer))
        return _id(answer)

    async def find(self, message: OutgoingMessage) -> str | None:
        status, answer = await look(self._http, "GET", f"/messages/{message.reference}")
        if status == httpx.codes.NOT_FOUND:
            return None
        if not httpx.codes.is_success(status):
            raise refusal(Klass.RETRY)
        return _id(answer)

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        found = {}
        for message_id in ids:
            status, answer = await look(self._http, "GET", f"/messages/{message_id}")
            if status == httpx.codes.NOT_FOUND:
                found[message_id] = Delivery.UNKNOWN
            elif str(answer.get("state")) in _STATES:
                found[message_id] = _STATES[str(answer["state"])]
        return found

    def read_report(self, fields: Mapping[str, str]) -> tuple[str, Delivery] | None:
        message_id, state = fields.get("id", ""), fields.get("state", "")
        return (message_id, _STATES[state]) if message_id and state in _STATES else None

    async def close(self) -> None:
        await self._http.aclose()


def _id(answer: dict[str, Any]) -> str:
    found = answer.get("id")
    if not isinstance(found, str) or not found:
        raise DoubtfulError
    return found


def _klass(status: int, answer: dict[str, Any]) -> Klass:
    """Read why: its word if it is one of ours, and else the status."""
    try:
        return Klass(str(answer.get("code")))
    except ValueError:
        pass
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.PAYMENT_REQUIRED}:
        return Klass.CONFIG
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Klass.RATE_LIMIT
    return Klass.BUG if httpx.codes.is_client_error(status) else Klass.UNSURE
