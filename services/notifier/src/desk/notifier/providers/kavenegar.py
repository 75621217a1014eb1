"""SMS through Kavenegar, whose errors may have HTTP status 200: ``return.status`` is what counts."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx

from desk.iran.phone import Mobile
from desk.notifier.domain import (
    AmbiguousResultError,
    ChannelUnavailableError,
    Delivery,
    MessageRefusedError,
    OutgoingMessage,
    Trouble,
)
from desk.notifier.providers import FailureKind, error_of
from desk.notifier.providers.http import open_client, query, request

OK = 200
CODES: Mapping[int, FailureKind] = {
    **dict.fromkeys((402, 409), FailureKind.RETRY),
    **dict.fromkeys((400, 401, 403, 407, 412, 416, 424, 426, 427, 428, 429, 432, 501), FailureKind.CONFIG),
    **dict.fromkeys((404, 405, 406, 414, 415, 417, 419), FailureKind.BUG),
    **dict.fromkeys((413, 420, 422, 431), FailureKind.BAD_TEXT),
    411: FailureKind.BAD_NUMBER,
    418: FailureKind.NO_CREDIT,
    451: FailureKind.RATE_LIMIT,
}
UNKNOWN_ID = 100
DELIVERIES: Mapping[int, Delivery] = {
    **dict.fromkeys((1, 2, 4, 5), Delivery.UNDER_WAY),
    10: Delivery.DELIVERED,
    **dict.fromkeys((6, 11, 13, 14), Delivery.FAILED),
    UNKNOWN_ID: Delivery.UNKNOWN,
}


class Kavenegar:
    """Sends SMS through Kavenegar; a repeat with the same ``localid`` returns the first message."""

    detects_repeats = True

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
        status, response = await request(self._http, "POST", "/send.json", data=form)
        for entry in _entries(status, response):
            if entry.get("messageid"):
                return str(entry["messageid"])
        raise AmbiguousResultError

    async def find(self, message: OutgoingMessage) -> str | None:
        local = local_id(message.reference)
        for entry in await self._query("/statuslocalmessageid.json", localid=local):
            if str(entry.get("localid", local)) == local and _status(entry) != UNKNOWN_ID and entry.get("messageid"):
                return str(entry["messageid"])
        return None

    async def fetch_reports(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        entries = await self._query("/status.json", messageid=",".join(ids))
        return {str(each.get("messageid")): DELIVERIES.get(_status(each), Delivery.UNKNOWN) for each in entries}

    async def close(self) -> None:
        await self._http.aclose()

    async def _query(self, path: str, **parameters: str) -> Iterable[dict[str, Any]]:
        try:
            return _entries(*await query(self._http, "GET", path, params=parameters))
        except (AmbiguousResultError, MessageRefusedError):
            raise ChannelUnavailableError(Trouble.NO_ANSWER) from None


def local_id(reference: str) -> str:
    """Return Kavenegar's ``localid`` of a message: 62 bits of our reference, the longest number it accepts."""
    return str(uuid.UUID(reference).int >> 66)


def _entries(status: int, response: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the response's entries.

    Raises ChannelUnavailableError, MessageRefusedError or, for an unknown code, AmbiguousResultError. Only Kavenegar's
    own codes are certain, as the body's status or as the HTTP status; a 5xx is a failure, not a code.
    """
    result = response.get("return")
    code = result.get("status") if isinstance(result, dict) else status
    if code != OK:
        own = isinstance(result, dict) or status < httpx.codes.INTERNAL_SERVER_ERROR
        raise error_of(CODES.get(code, FailureKind.UNSURE) if own and isinstance(code, int) else FailureKind.UNSURE)
    entries = response.get("entries")
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _status(entry: dict[str, Any]) -> int:
    status = entry.get("status")
    return status if isinstance(status, int) else UNKNOWN_ID
