"""SMS by Kavenegar, whose errors may come with HTTP 200: what counts is ``return.status``."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx

from desk.iran.phone import Mobile
from desk.notifier.channels import ChannelDownError, DoubtfulError, RefusedError
from desk.notifier.domain import Delivery, OutgoingMessage, Trouble
from desk.notifier.providers import Klass, refusal
from desk.notifier.providers.http import call, look, open_client

OK = 200
CODES: Mapping[int, Klass] = {
    **dict.fromkeys((402, 409), Klass.RETRY),
    **dict.fromkeys((400, 401, 403, 407, 412, 416, 424, 426, 427, 428, 429, 432, 501), Klass.CONFIG),
    **dict.fromkeys((404, 405, 406, 414, 415, 417, 419), Klass.BUG),
    **dict.fromkeys((413, 420, 422, 431), Klass.BAD_TEXT),
    411: Klass.BAD_NUMBER,
    418: Klass.NO_CREDIT,
    451: Klass.RATE_LIMIT,
}
UNKNOWN_ID = 100
DELIVERIES: Mapping[int, Delivery] = {
    **dict.fromkeys((1, 2, 4, 5), Delivery.UNDER_WAY),
    10: Delivery.DELIVERED,
    **dict.fromkeys((6, 11, 13, 14), Delivery.FAILED),
    UNKNOWN_ID: Delivery.UNKNOWN,
}


class Kavenegar:
    """Hands SMS to Kavenegar; a repeat with the same ``localid`` returns the first message."""

    reports = True
    knows_references = True

    def __init__(self, *, url: str, key: str, sender: str) -> None:
        self._http = open_client(f"{url.rstrip('/')}/v1/{key}/sms")
        self._sender = sender

    async def send(self, message: OutgoingMessage) -> str:
        form = {
            "receptor": Mobile(message.recipient).national,
            "message": message.text,
            "sender": self._sender,
            "localid": local_id(message.reference),
        }
        status, answer = await call(self._http, "POST", "/send.json", data=form)
        for entry in _entries(status, answer):
            if entry.get("messageid"):
                return str(entry["messageid"])
        raise DoubtfulError

    async def find(self, message: OutgoingMessage) -> str | None:
        local = local_id(message.reference)
        for entry in await self._look("/statuslocalmessageid.json", localid=local):
            if str(entry.get("localid", local)) == local and _status(entry) != UNKNOWN_ID and entry.get("messageid"):
                return str(entry["messageid"])
        return None

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        entries = await self._look("/status.json", messageid=",".join(ids))
        return {str(each.get("messageid")): DELIVERIES.get(_status(each), Delivery.UNKNOWN) for each in entries}

    def read_report(self, fields: Mapping[str, str]) -> tuple[str, Delivery] | None:
        message_id, status = fields.get("messageid", ""), fields.get("status", "")
        if not message_id or not status.isascii() or not status.isdigit() or int(status) not in DELIVERIES:
            return None
        return message_id, DELIVERIES[int(status)]

    async def close(self) -> None:
        await self._http.aclose()

    async def _look(self, path: str, **query: str) -> Iterable[dict[str, Any]]:
        try:
            return _entries(*await look(self._http, "GET", path, params=query))
        except (DoubtfulError, RefusedError):
            raise ChannelDownError(Trouble.NO_ANSWER) from None


def local_id(reference: str) -> str:
    """Return the number Kavenegar knows a message by: 62 bits of our reference, since it takes no longer ones."""
    return str(uuid.UUID(reference).int >> 66)


def _entries(status: int, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was answered. Raises ChannelDownError, RefusedError or, if it is not understood, DoubtfulError.

    Only its own codes are sure, and an HTTP status that it gives them too; 5xx is its failure and no code.
    """
    said = answer.get("return")
    code = said.get("status") if isinstance(said, dict) else status
    if code != OK:
        own = isinstance(said, dict) or status < httpx.codes.INTERNAL_SERVER_ERROR
        raise refusal(CODES.get(code, Klass.UNSURE) if own and isinstance(code, int) else Klass.UNSURE)
    entries = answer.get("entries")
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _status(entry: dict[str, Any]) -> int:
    status = entry.get("status")
    return status if isinstance(status, int) else UNKNOWN_ID
