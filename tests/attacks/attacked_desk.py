"""The real desk as an attacker sees it: behind nginx, with production limits and two replicas of what counts."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx
from altcha.v2 import Challenge, ChallengeParameters, solve_challenge
from redis import Redis
from support.province_system import ProvinceSystem
from support.public_gateway import RealApplicant
from support.real_desk import RealDesk

from desk.testing.gateway import open_gateway

START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"
PUBLIC_SERVICES = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
REPLICATED = ("captcha", "registry-gateway", "intake", "tracking")
PARALLEL = 50
"""How many attempts of a counter are made at the same time."""

T = TypeVar("T")


class AttackedDesk:
    """A desk on real servers behind nginx, which takes the address of a caller from its trusted proxy, the test."""

    def __init__(self, services: RealDesk) -> None:
        self.services = services
        for name in REPLICATED:
            services.replicate(name)
        self.gateway = open_gateway(
            START,
            {name: " ".join(f"127.0.0.1:{each.port}" for each in services.replicas[name]) for name in PUBLIC_SERVICES},
            trusted_proxies="127.0.0.1",
        )
        self.qom = ProvinceSystem(services.loop, services.broker.url("province.qom"), "qom")
        """The system of a second province; that of Isfahan belongs to the services."""
        # nginx closes a connection if it responds before the end of a request. A browser then sends its next request
        # again on another one; these clients have a connection for each request.
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
        self._connections = httpx.HTTPTransport(limits=limits)
        self._places = count(10)
        self._addresses = count(1)

    def close(self) -> None:
        """Stop nginx; the services are stopped by their owner."""
        self._connections.close()
        self.qom.close()
        self.gateway.close()

    def forget_limits(self) -> None:
        """Delete everything in Redis except challenges and their pools."""
        with Redis.from_url(self.services.redis_url) as redis:
            if keys := [key for key in redis.keys("*") if not key.startswith(b"captcha:")]:
                redis.delete(*keys)

    # addresses

    def at(self, address: str) -> "Source":
        """Return a client at this address."""
        client = httpx.Client(
            transport=self._connections,
            base_url=self.gateway.url,
            headers={"X-Forwarded-For": address},
            timeout=30,
            trust_env=False,
        )
        return Source(self, client)

    def ipv4(self) -> str:
        """Return an unused IPv4 address."""
        number = next(self._addresses)
        return f"10.77.{number // 250}.{number % 250 + 1}"

    def ipv6_network(self) -> Callable[[int], str]:
        """Return an unused /56, as a function from a number to one of its addresses, each in a /64 of its own."""
        number = next(self._addresses)
        return lambda place: f"2a01:5ec0:{number:x}:{place % 256:x}:{place:x}::1"

    def anywhere(self) -> "Source":
        """Return a client at an unused address."""
        return self.at(self.ipv4())

    # people

    def person(self, source: "Source | None" = None) -> "Person":
        """Return a living synthetic person who has done nothing yet."""
        return Person(source or self.anywhere(), next(self._places))

    # the civil registry

    def close_registry(self) -> None:
        """Let the registry be closed, as it is every night."""
        hour = (datetime.now(UTC).hour + 10) % 24
        self._restart_registry_gateway(OPENS_AT=f"{hour:02}:00", CLOSES_AT=f"{(hour + 2) % 24:02}:00")

    def open_registry(self) -> None:
        """Let the registry be open again, and every waiting identity check be due."""
        self._restart_registry_gateway()
        self.services.execute("intake", "UPDATE identity_check SET next_check_at = now() WHERE state = 'pending'")

    def _restart_registry_gateway(self, **settings: str) -> None:
        in_parallel(lambda each: each.restart(**settings), self.services.replicas["registry-gateway"])


class Source:
    """A client at one address. Its challenges are solved with the answers in the captcha service's store."""

    def __init__(self, desk: AttackedDesk, client: httpx.Client) -> None:
        self.desk = desk
        self.client = client

    def answer_to(self, captcha_id: str) -> str:
        """Return the digits of a picture."""
        return self.desk.services.answer_to(captcha_id)

    def prove(self, purpose: str, level: int = 0) -> dict[str, str]:
        """Do a proof of work, and wait until it is accepted."""
        asked = self.client.post("/api/captchas", json={"purpose": purpose, "kind": "work", "level": level})
        assert asked.status_code == 201, asked.text
        challenge = asked.json()["challenge"]
        solution = solve_challenge(Challenge(ChallengeParameters.from_dict(challenge)))
        assert solution is not None
        if usable_at := challenge.get("usable_at"):
            left = datetime.fromisoformat(usable_at) - datetime.now(UTC)
            time.sleep(max(0.0, left.total_seconds()))  # the delay is a part of the proof
        return {"id": asked.json()["id"], "solution": solution.derived_key}


class Person(RealApplicant):
    """A synthetic person at one address, who does the proofs of work that are required."""

    def __init__(self, source: Source, place: int) -> None:
        super().__init__(source, place)
        self.source = source

    def moved_to(self, source: Source) -> "Person":
        """Return the same person at another address."""
        moved = Person(source, self.place)
        moved.token = self.token
        return moved

    def look_up(self, birth_date: str | None = None, proof: dict[str, str] | None = None) -> httpx.Response:
        """Ask the registry once, by default with the right birth date and a new proof of the lowest level."""
        query = {"national_id": self.national_id, "birth_date": birth_date or self.person["birth_date"]}
        return self.client.post("/api/identities", json=query | {"proof": proof or self.source.prove("identity")})

    def look_up_with_the_proof_asked_for(self) -> httpx.Response:
        """Ask with the right birth date; if a harder proof of work is required, do it and ask again."""
        answer = self.look_up()
        if is_problem(answer, "proof_required"):
            answer = self.look_up(proof=self.source.prove("identity", answer.json()["level"]))
        if answer.is_success:
            self.token = answer.json()["token"]
        return answer

    def query(self, tracking_code: str, source: Source | None = None) -> dict[str, Any]:
        """Return the body of a look-up of a request; ``source`` is who gets the picture."""
        holder = self.moved_to(source) if source is not None else self
        return {
            "national_id": self.national_id,
            "tracking_code": tracking_code,
            "captcha": holder.captcha("track"),
        }

    def track_with_the_proof_asked_for(self, tracking_code: str) -> httpx.Response:
        """Look a request up; if a proof of work is required, do it and ask again."""
        query = self.query(tracking_code)
        answer = self.client.post("/api/tracking", json=query)
        if is_problem(answer, "proof_required"):
            query["proof"] = self.source.prove("track", answer.json()["level"])
            answer = self.client.post("/api/tracking", json=query)
        return answer

    def form_from(self, source: Source, **changed: object) -> dict[str, Any]:
        """Fill the form in with codes that another address has got: the gateway's limit of requests is not the test."""
        return self.moved_to(source).form(**changed)


def is_problem(answer: httpx.Response, code: str) -> bool:
    """Return whether the answer is the problem with this code."""
    return answer.is_client_error and answer.json().get("code") == code


def in_parallel(act: Callable[[Any], T], each: Sequence[Any]) -> list[T]:
    """Call ``act`` with each value, all at the same time; return the results in their order."""
    with ThreadPoolExecutor(len(each)) as threads:
        return list(threads.map(act, each))
