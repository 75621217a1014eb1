"""The part of RabbitMQ's management API that a topology needs; every error is one line."""

from types import TracebackType
from typing import Self, cast
from urllib.parse import quote, unquote, urlsplit

import httpx

from desk.topology.definitions import Entry
from desk.topology.errors import ManagementError

ANSWER_SECONDS = 30.0
"""Declaring a quorum queue takes a moment on every node."""


class Management:
    """A session with the management API as an administrator."""

    def __init__(self, url: str) -> None:
        """``url`` is ``http://user:password@host:port``. Raises ManagementError if it is not."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ManagementError("the management URL must be like http://user:password@host:15672")
        self._user = unquote(parts.username or "guest")
        self.where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._client = httpx.Client(
            base_url=self.where + parts.path.rstrip("/"),
            auth=(self._user, unquote(parts.password or "guest")),
            timeout=ANSWER_SECONDS,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def entries(self, *path: str, **query: str) -> list[Entry]:
        """List objects; returns nothing if the parent does not exist."""
        answer = self._call("GET", path, query=query, missing_is_fine=True)
        return [] if answer is None else cast("list[Entry]", answer.json())

    def put(self, *path: str, body: Entry) -> None:
        """Create or update an object."""
        self._call("PUT", path, body=body)

    def post(self, *path: str, body: Entry) -> None:
        """Add an object."""
        self._call("POST", path, body=body)

    def delete(self, *path: str) -> None:
        """Delete an object."""
        self._call("DELETE", path)

    def _call(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        body: Entry | None = None,
        query: dict[str, str] | None = None,
        missing_is_fine: bool = False,
    ) -> httpx.Response | None:
        address = "/api/" + "/".join(quote(part, safe="") for part in path)
        try:
            answer = self._client.request(method, address, json=body, params=query)
        except httpx.HTTPError as error:
            raise ManagementError(f"the management API at {self.where} does not answer: {error}") from None
        match answer.status_code:
            case 401:
                raise ManagementError(f"the management API at {self.where} refuses user {self._user!r}")
            case 404 if missing_is_fine:
                return None
            case status if status >= 400:  # noqa: PLR2004 - HTTP's errors
                raise ManagementError(f"{method} {address} at {self.where}: {status} {_reason(answer)}")
        return answer


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
