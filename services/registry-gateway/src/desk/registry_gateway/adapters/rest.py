"""The civil registry over JSON, as some buses wrap ``getEstelam3``."""

import json
from collections.abc import Mapping
from typing import cast

import httpx

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters import estelam
from desk.registry_gateway.adapters.http import post
from desk.registry_gateway.domain import FailureKind, UnansweredError, Verdict

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_PATH = ("result", "data", "getEstelam3Response", "return")


class RestRegistry:
    """Queries the registry through a bus with a JSON interface."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        """``http`` has the credentials."""
        self._http = http
        self._url = url

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Verdict:
        """Look a person up once. Raises UnansweredError."""
        body = {"birthDate": str(birth_date.compact()), "nin": national_id.value}
        answer = await post(self._http, self._url, json.dumps(body).encode(), _HEADERS)
        return estelam.read_record(_record(answer), national_id, birth_date)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _record(answer: bytes) -> Mapping[str, object]:
    try:
        found: object = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise UnansweredError(FailureKind.DOWN, f"not JSON: {type(error).__name__}") from None
    for name in _PATH:
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, list) and len(found) == 1:
        [found] = found
    if not isinstance(found, dict):
        raise UnansweredError(FailureKind.DOWN, "not an answer of getEstelam3")
    return cast("Mapping[str, object]", found)
