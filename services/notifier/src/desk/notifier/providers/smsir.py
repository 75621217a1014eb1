"""SMS by SMS.ir: a text over a line of ours, or one of the templates registered there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
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
    0: Klass.UNSURE,  # "something went wrong": of all its codes the one that does not say before what
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
}
"""What an answer means that has a status and no code."""
DELIVERIES: Mapping[int, Delivery] = {
    1: Delivery.DELIVERED,
    **dict.fromkeys((3, 5), Delivery.UNDER_WAY),
    **dict.fromkeys((2, 4, 6, 7), Delivery.FAILED),
}
PAGE, MOST_PAGES = 100, 50
LOOKED_BACK = timedelta(days=2)
"""More than the 48 tries take."""


class SmsIr:
    """Hands SMS to SMS.ir, which knows no reference of ours: a message in doubt is looked for among those sent."""

    reports = True
    knows_references = False

    def __init__(self, *, url: str, key: str, line: str, templates: Mapping[str, int]) -> None:
        """``templates`` gives SMS.ir's number of each file of our words that is registered there; others go as text."""
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
        """Look for the number and the words among today's messages and, as a doubt may be older, yesterday's."""
        now = datetime.now(UTC)
        earlier = {"fromDate": int((now - LOOKED_BACK).timestamp()), "toDate": int(now.timestamp())}
        return await self._find_in(message, "live") or await self._find_in(message, "archive", **earlier)

    async def _find_in(self, message: OutgoingMessage, path: str, **query: int) -> str | None:
        for page in range(1, MOST_PAGES + 1):
            sent = await self._sent(path, pageSize=PAGE, pageNumber=page, **query)
            for each in sent:
                if self._is(each, message):
                    return str(each["messageId"])
            if len(sent) < PAGE:
                return None
        raise ChannelDownError(Trouble.NO_ANSWER)

    def _template_for(self, message: OutgoingMessage) -> int | None:
        fits = all(len(value) <= LONGEST_VALUE for value in message.values.values())
        return self._templates.get(message.wording) if fits else None

    def _is(self, sent: dict[str, Any], message: OutgoingMessage) -> bool:
        if str(sent.get("mobile", ""))[-10:] != _number(message)[-10:] or str(sent.get("messageId")) in message.known:
            return False
        text = " ".join(str(sent.get("messageText", "")).split())
        if self._template_for(message) is not None:  # its words stand at SMS.ir; ours is only what fills them
            return bool(message.values) and all(value in text for value in message.values.values())
        return text == " ".join(message.text.split())

    async def _sent(self, path: str, **query: int) -> list[dict[str, Any]]:
        status, answer = await look(self._http, "GET", f"/send/{path}", params=query)
        if answer.get("status") != OK or not isinstance(answer.get("data"), list):
            raise ChannelDownError(Trouble.NO_ANSWER if status == httpx.codes.OK else Trouble.BUSY)
        return [each for each in answer["data"] if isinstance(each, dict)]

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        found = {}
        for message_id in ids:
            _, answer = await look(self._http, "GET", f"/send/{message_id}")
            data = answer.get("data")
            state = data.get("deliveryState") if isinstance(data, dict) else None
            if isinstance(state, int):
                found[message_id] = DELIVERIES.get(state, Delivery.UNDER_WAY)
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
        raise refusal(_HTTP.get(status, Klass.BUG) if httpx.codes.is_client_error(status) else Klass.UNSURE)
    if code != OK:
        raise refusal(CODES.get(code, Klass.UNSURE))
    data = answer.get("data")
    if not isinstance(data, dict):
        raise DoubtfulError
    return data
