"""SMS by SMS.ir: a text over a line of ours, or one of the templates registered there."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from desk.iran.phone import Mobile
from desk.notifier.channels import ChannelDownError, DoubtfulError
from desk.notifier.domain import Delivery, OutgoingMessage, Trouble
from desk.notifier.providers import Klass, refusal
from desk.notifier.providers.http import call, look, open_client

OK = 1
LONGEST_VALUE = 25
"""Characters of a template's value; one that is longer is refused by SMS.ir (code 114)."""
CODES: Mapping[int, Klass] = {
    0: Klass.RETRY,
    **dict.fromkeys((10, 11, 12, 13, 14, 101, 113, 119, 123), Klass.CONFIG),
    **dict.fromkeys((20, 118), Klass.RATE_LIMIT),
    102: Klass.NO_CREDIT,
    **dict.fromkeys((103, 114, 117), Klass.BAD_TEXT),
    104: Klass.BAD_NUMBER,
    **dict.fromkeys((105, 106, 107, 108, 109, 110, 111, 112, 116), Klass.BUG),
    115: Klass.BLACKLISTED,
}
_HTTP: Mapping[int, Klass] = {
    httpx.codes.UNAUTHORIZED: Klass.CONFIG,
    httpx.codes.TOO_MANY_REQUESTS: Klass.RATE_LIMIT,
    httpx.codes.INTERNAL_SERVER_ERROR: Klass.RETRY,
}
"""What an answer means that has a status and no code."""
DELIVERIES: Mapping[int, Delivery] = {
    1: Delivery.DELIVERED,
    **dict.fromkeys((3, 5), Delivery.UNDER_WAY),
    **dict.fromkeys((2, 4, 6, 7), Delivery.FAILED),
}
PAGE, MOST_PAGES = 100, 50


class SmsIr:
    """Hands SMS to SMS.ir, which knows no reference of ours: a message in doubt is looked for among today's."""

    reports = True

    def __init__(self, *, url: str, key: str, line: str, templates: Mapping[str, int]) -> None:
        """``templates`` names SMS.ir's number of each of our templates registered there; others go as text."""
        self._http = open_client(f"{url.rstrip('/')}/v1", {"X-API-KEY": key, "Accept": "application/json"})
        self._line = line
        self._templates = templates

    async def send(self, message: OutgoingMessage) -> str:
        template = self._template_for(message)
        if template is not None:
            parameters = [{"name": name.upper(), "value": value} for name, value in message.values.items()]
            body = {"mobile": _number(message), "templateId": template, "parameters": parameters}
            data = _data(*await call(self._http, "POST", "/send/verify", json=body))
            found = data.get("messageId")
        else:
            body = {"lineNumber": int(self._line), "messageText": message.text, "mobiles": [_number(message)]}
            data = _data(*await call(self._http, "POST", "/send/bulk", json=body))
            ids = data.get("messageIds")
            found = ids[0] if isinstance(ids, list) and ids else None
        if not found:  # a number on the blacklist is taken and not sent, and has no id
            raise refusal(Klass.BLACKLISTED)
        return str(found)

    async def find(self, message: OutgoingMessage) -> str | None:
        """Look for the number and the code among today's messages; both together are one notice of one kind or few."""
        for page in range(1, MOST_PAGES + 1):
            sent = await self._sent_today(page)
            for each in sent:
                if str(each.get("mobile", ""))[-10:] == _number(message)[-10:] and self._is(each, message):
                    return str(each["messageId"])
            if len(sent) < PAGE:
                return None
        raise ChannelDownError(Trouble.NO_ANSWER)

    def _template_for(self, message: OutgoingMessage) -> int | None:
        fits = all(len(value) <= LONGEST_VALUE for value in message.values.values())
        return self._templates.get(message.template) if fits else None

    def _is(self, sent: dict[str, Any], message: OutgoingMessage) -> bool:
        text = " ".join(str(sent.get("messageText", "")).split())
        if self._template_for(message) is not None:  # its words stand at SMS.ir; ours is only what fills them
            return bool(message.values) and all(value in text for value in message.values.values())
        return text == " ".join(message.text.split())

    async def _sent_today(self, page: int) -> list[dict[str, Any]]:
        query = {"pageSize": PAGE, "pageNumber": page}
        status, answer = await look(self._http, "GET", "/send/live", params=query)
        if answer.get("status") != OK or not isinstance(answer.get("data"), list):
            raise ChannelDownError(Trouble.NO_ANSWER if status == httpx.codes.OK else Trouble.BUSY)
        return [each for each in answer["data"] if isinstance(each, dict)]

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        found = {}
        for message_id in ids:
            _, answer = await look(self._http, "GET", f"/send/{message_id}")
            data = answer.get("data")
            state = data.get("deliveryState") if isinstance(data, dict) else None
            found[message_id] = (
                DELIVERIES.get(state, Delivery.UNDER_WAY) if isinstance(state, int) else Delivery.UNKNOWN
            )
        return found

    def read_report(self, fields: Mapping[str, str]) -> tuple[str, Delivery] | None:
        message_id, state = fields.get("messageid", ""), fields.get("deliverystate", "")
        if not message_id or not state.isascii() or not state.isdigit() or int(state) not in DELIVERIES:
            return None
        return message_id, DELIVERIES[int(state)]

    async def close(self) -> None:
        await self._http.aclose()


def _number(message: OutgoingMessage) -> str:
    return Mobile(message.recipient).national


def _data(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    code = answer.get("status")
    if not isinstance(code, int):
        if status == httpx.codes.OK:
            raise DoubtfulError
        raise refusal(_HTTP.get(status, Klass.BUG))
    if code != OK:
        raise refusal(CODES.get(code, Klass.BUG))
    data = answer.get("data")
    if not isinstance(data, dict):
        raise DoubtfulError
    return data
