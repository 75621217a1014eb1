"""A gateway for services that run as processes, and an applicant who uses it."""

import tomllib
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import httpx
from support.applicant import Applicant
from support.real_service import Service

from desk.registry_gateway.adapters.people import Person, people

ROUTES = Path(__file__).parents[2] / "gateway" / "routes.toml"


class PublicGateway(httpx.BaseTransport):
    """Route public paths as the gateway does, round robin over the replicas."""

    def __init__(self, replicas: Mapping[str, Sequence[Service]]) -> None:
        self._replicas = replicas
        self._inner = httpx.HTTPTransport(limits=httpx.Limits(max_connections=200))
        self._turn = count()
        with ROUTES.open("rb") as table:
            self._routes = {route["path"]: route["service"] for route in tomllib.load(table)["route"]}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        service = next((name for way, name in self._routes.items() if path == way or path.startswith(f"{way}/")), None)
        if service is None:
            return httpx.Response(404)
        replicas = self._replicas[service]
        chosen = replicas[next(self._turn) % len(replicas)]
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=chosen.port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class Desk(Protocol):
    """A desk with its public address, and the access that only tests have."""

    client: httpx.Client

    def answer_to(self, captcha_id: str) -> str:
        """Return the digits of a picture from the store of the captcha service."""


class RealApplicant(Applicant):
    """A synthetic applicant at the real desk, who reads security codes from the store."""

    def __init__(self, desk: Desk, place: int = 0) -> None:
        """``place`` is an index into the living synthetic people."""
        self.client = desk.client
        self.desk = desk
        self.place = place
        someone = living()[place % len(living())].identity
        self.person = {
            "national_id": someone.national_id.value,
            "birth_date": someone.birth_date.isoformat(),
            "first_name": someone.first_name,
            "last_name": someone.last_name,
        }
        self.token = ""

    def answer_to(self, captcha_id: str) -> str:
        return self.desk.answer_to(captcha_id)

    def form(self, **changed: object) -> dict[str, Any]:
        mine = {"mobile": f"0912{self.place:07}", "email": f"applicant-{self.place}@example.com"}
        return super().form(**(mine | changed))


def living() -> list[Person]:
    """Return the synthetic people who can send a request."""
    return [person for person in people() if not person.deceased]
