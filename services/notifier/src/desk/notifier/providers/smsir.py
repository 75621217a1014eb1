"""SMS through SMS.ir: a text from our own sender number, or a template that is registered there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from desk.iran.phone import Mobile
from desk.notifier.domain import AmbiguousResultError, ChannelUnavailableError, Delivery, OutgoingMessage, Trouble
from desk.notifier.providers import FailureKind, error_of
from desk.notifier.providers.http import open_client, query, request

OK = 1
MAX_VALUE_LENGTH = 25
"""Characters of a template's value; SMS.ir refuses a longer one (code 114)."""
CODES: Mapping[int, FailureKind] = {
    0: FailureKind.UNSURE,  # "something went wrong": the only code that does not say whether the message was accepted
    **dict.fromkeys((10, 11, 12, 13, 14, 101, 113, 119, 123), FailureKind.CONFIG),
    **dict.fromkeys((20, 118), FailureKind.RATE_LIMIT),
    102: FailureKind.NO_CREDIT,
    **dict.fromkeys((103, 114, 117), FailureKind.BAD_TEXT),
    104: FailureKind.BAD_NUMBER,
    **dict.fromkeys((105, 106, 107, 108, 109, 110, 111, 112, 116), FailureKind.BUG),
    115: FailureKind.BLACKLISTED,
}
_HTTP_STATUSES: Mapping[int, FailureKind] = {
    httpx.codes.UNAUTHORIZED: FailureKind.CONFIG,
    httpx.codes.TOO_MANY_REQUESTS: FailureKind.RATE_LIMIT,
}
"""The meaning of a response that has an HTTP status and no code."""
DELIVERIES: Mapping[int, Delivery] = {
    1: Delivery.DELIVERED,
    **dict.fromkeys((3, 5), Delivery.UNDER_WAY),
    **dict.fromkeys((2, 4, 6, 7), Delivery.FAILED),
}
PAGE_SIZE, MAX_PAGES = 100, 50
SEARCH_PERIOD = timedelta(days=2)
"""Longer than the 48 attempts take."""


class SmsIr:
    """Sends SMS through SMS.ir. It stores no reference of ours: an ambiguous message is searched among those sent."""

    detects_repeats = False

    def __init__(self, *, url: str, key: str, line: str, templates: Mapping[str, int]) -> None:
        """``templates`` maps our template files to SMS.ir's numbers; a file that is not registered is sent as text."""
        self._http = open_client(f"{url.rstrip('/')}/v1", {"X-API-KEY": key, "Accept": "application/json"})
        self._line = line
        self._templates = templates

    async def send(self, message: OutgoingMessage) -> str:
        template = self._template_of(message)
        if template is not None:
            parameters = [{"name": name.upper(), "value": value} for name, value in message.values.items()]
            body = {"mobile": _number(message), "templateId": template, "parameters": parameters}
            data = _data(*await request(self._http, "POST", "/send/verify", json=body))
            found = data.get("messageId")
        else:
            body = {"lineNumber": int(self._line), "messageText": message.text, "mobiles": [_number(message)]}
            data = _data(*await request(self._http, "POST", "/send/bulk", json=body))
            ids = data.get("messageIds")
            found = ids[0] if isinstance(ids, list) and ids else None
        if not found:  # a number on the blacklist is accepted, not sent, and gets no id
            raise error_of(FailureKind.BLACKLISTED)
        return str(found)

    async def find(self, message: OutgoingMessage) -> str | None:
        """Search for number and text among the messages of today and, since the attempt may be older, the archive."""
        now = datetime.now(UTC)
        period = {"fromDate": int((now - SEARCH_PERIOD).timestamp()), "toDate": int(now.timestamp())}
        return await self._find_in(message, "live") or await self._find_in(message, "archive", **period)

    async def _find_in(self, message: OutgoingMessage, path: str, **parameters: int) -> str | None:
        for page in range(1, MAX_PAGES + 1):
            sent = await self._sent(path, pageSize=PAGE_SIZE, pageNumber=page, **parameters)
            for each in sent:
                if self._matches(each, message):
                    return str(each["messageId"])
            if len(sent) < PAGE_SIZE:
                return None
        raise ChannelUnavailableError(Trouble.NO_ANSWER)

    def _template_of(self, message: OutgoingMessage) -> int | None:
        fits = all(len(value) <= MAX_VALUE_LENGTH for value in message.values.values())
        return self._templates.get(message.wording) if fits else None

    def _matches(self, sent: dict[str, Any], message: OutgoingMessage) -> bool:
        if str(sent.get("mobile", ""))[-10:] != _number(message)[-10:]:
            return False
        if str(sent.get("messageId")) in message.other_references:
            return False
        text = " ".join(str(sent.get("messageText", "")).split())
        if self._template_of(message) is not None:  # SMS.ir stores the template's text; we sent only the values
            return bool(message.values) and all(value in text for value in message.values.values())
        return text == " ".join(message.text.split())

    async def _sent(self, path: str, **parameters: int) -> list[dict[str, Any]]:
        status, response = await query(self._http, "GET", f"/send/{path}", params=parameters)
        if response.get("status") != OK or not isinstance(response.get("data"), list):
            raise ChannelUnavailableError(Trouble.NO_ANSWER if status == httpx.codes.OK else Trouble.BUSY)
        return [each for each in response["data"] if isinstance(each, dict)]

    async def fetch_reports(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        found = {}
        for message_id in ids:
            _, response = await query(self._http, "GET", f"/send/{message_id}")
            data = response.get("data")
            state = data.get("deliveryState") if isinstance(data, dict) else None
            if isinstance(state, int):
                found[message_id] = DELIVERIES.get(state, Delivery.UNDER_WAY)
        return found

    async def close(self) -> None:
        await self._http.aclose()


def _number(message: OutgoingMessage) -> str:
    return Mobile(message.recipient).national


def _data(status: int, response: dict[str, Any]) -> dict[str, Any]:
    code = response.get("status")
    if not isinstance(code, int):
        client_error = httpx.codes.is_client_error(status)
        raise error_of(_HTTP_STATUSES.get(status, FailureKind.BUG) if client_error else FailureKind.UNSURE)
    if code != OK:
        raise error_of(CODES.get(code, FailureKind.UNSURE))
    data = response.get("data")
    if not isinstance(data, dict):
        raise AmbiguousResultError
    return data
