"""Shahkar (شاهکار), the regulator's register of the owners of mobile numbers, over a bus with a JSON interface."""

import json
import secrets

import httpx

from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.adapters.http import post
from desk.registry_gateway.domain import FailureKind, MobileOwner, UnansweredError

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_MOBILE_SERVICE, _NATIONAL_ID = 2, 0
_ANSWERS = {200: MobileOwner.MATCH, 600: MobileOwner.MISMATCH}


class ShahkarRegistry:
    """Queries Shahkar."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        """``http`` has the credentials."""
        self._http = http
        self._url = url

    async def owner(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Compare a mobile with the register once. Raises UnansweredError."""
        body = {
            "requestId": secrets.token_hex(12),
            "serviceType": _MOBILE_SERVICE,
            "serviceNumber": mobile.e164.removeprefix("+98"),
            "identificationType": _NATIONAL_ID,
            "identificationNo": national_id.value,
        }
        answer = await post(self._http, self._url, json.dumps(body).encode(), _HEADERS)
        return _ANSWERS.get(_response(answer), MobileOwner.UNKNOWN)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _response(answer: bytes) -> int:
    try:
        found = json.loads(answer)
        return int(found["response"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnansweredError(FailureKind.DOWN, f"not an answer of Shahkar: {type(error).__name__}") from None
