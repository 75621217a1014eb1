"""The desk that is measured: real servers, one process of each service, nginx in front, and applicants."""

import json
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import aio_pika
from benchmarks.applicants import Applicant, Process, Target
from benchmarks.meter import Meter
from benchmarks.servers import Servers
from redis import Redis
from support.embedded_desk import wait_for
from support.real_desk import SERVICES, RealDesk
from support.real_service import setting

from desk.captcha.domain import Kind
from desk.captcha.settings import Settings as CaptchaSettings
from desk.captcha.store import pool_key
from desk.chassis.crypto import TokenIssuer
from desk.intake.app import IDENTITY_AUDIENCE, IDENTITY_ISSUER
from desk.iran.national_id import check_digit
from desk.local.gateway_table import GATEWAY, load_table
from desk.testing.gateway import GatewayServer, open_gateway

OURS = tuple(name for name in SERVICES if name != "registry-simulator")
SETTLE_SECONDS = 300.0
POLL_SECONDS = 0.5
TOKEN_SECONDS = 7200
FIRST_NINE = 427_000_000
"""National IDs of applicants begin here; no synthetic person has one of them."""


class BenchDesk:
    """A running desk, its meter, and what the operations need."""

    def __init__(self, servers: Servers, desk: RealDesk, gateway: GatewayServer, process: Process) -> None:
        self.servers, self.desk, self.gateway, self.process = servers, desk, gateway, process
        self.target = Target(gateway.url, desk.redis_url)
        self._redis = Redis.from_url(desk.redis_url)
        self._numbers = count()
        self._issuer = TokenIssuer(
            desk["registry-gateway"].environment[setting("registry-gateway", "TOKEN_PRIVATE_KEY")], IDENTITY_ISSUER
        )

    def meter(self) -> Meter:
        """Return a meter of the present processes."""
        services = {name: [each.process.pid for each in self.desk.replicas[name]] for name in OURS}
        return Meter(services | {"nginx": [self.gateway.pid or 0]} | self.servers.pids)

    def applicants(self, number: int) -> list[Applicant]:
        """Return new applicants with identity tokens, each with a national ID, mobile, email and address of its own."""
        return [self._applicant(next(self._numbers)) for _ in range(number)]

    def _applicant(self, number: int) -> Applicant:
        nine = f"{FIRST_NINE + number}"
        national_id, birth_date = nine + check_digit(nine), "1361-12-05"
        person = {"sub": national_id, "birth_date": birth_date, "first_name": "نرگس", "last_name": "باران‌دشت"}
        token, _ = self._issuer.issue(
            person | {"gender": "female", "status": "matched"}, audience=IDENTITY_AUDIENCE, seconds=TOKEN_SECONDS
        )
        return Applicant(number, national_id, birth_date, token)

    # what operations cause later

    def settled_submissions(self, codes: Sequence[str], mails_before: int) -> None:
        """Wait until every request has its case, its messages and its event, and no security code is missing."""
        wait_for(lambda: len(self.desk.mail.mails) >= mails_before + len(codes), SETTLE_SECONDS)
        self._wait_until_in_state("registered", codes)
        wait_for(self.pool_is_full, SETTLE_SECONDS, POLL_SECONDS)

    def settled_answers(self, codes: Sequence[str], mails_before: int) -> None:
        """Wait until every answer has reached its applicant."""
        wait_for(lambda: len(self.desk.mail.mails) >= mails_before + len(codes), SETTLE_SECONDS)
        self._wait_until_in_state("answered", codes)

    def _wait_until_in_state(self, state: str, codes: Sequence[str]) -> None:
        # By keys and partial indexes, and seldom: these queries are measured with the rest.
        wanted = 'SELECT count(*) FROM "case" WHERE tracking_code = ANY($1) AND state = $2'

        def settled() -> bool:
            return (
                not self._any("notifier", "message", "state IN ('queued', 'claimed')")
                and not self._any("intake", "outbox", "sent_at IS NULL")
                and not self._any("tracking", "outbox", "sent_at IS NULL")
                and self.desk.rows("tracking", wanted, list(codes), state) == [(len(codes),)]
            )

        wait_for(settled, SETTLE_SECONDS, POLL_SECONDS)

    def _any(self, service: str, table: str, condition: str) -> bool:
        [(found,)] = self.desk.rows(service, f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {condition})")  # noqa: S608 - our own words
        return bool(found)

    def pool_is_full(self) -> bool:
        """Return whether captcha has replaced every security code that was taken."""
        sizes = {Kind.IMAGE: "images_ready", Kind.SOUND: "sounds_ready"}
        return all(
            self._redis.llen(pool_key(kind)) == CaptchaSettings.model_fields[size].default
            for kind, size in sizes.items()
        )

    # the office

    def answer(self, codes: Sequence[str]) -> None:
        """Answer every request as the office does: on one connection, each confirmed by the broker."""
        reports = [self._answer(code) for code in codes]

        async def publish(channel: aio_pika.abc.AbstractChannel) -> None:
            exchange = await channel.get_exchange("desk.cases", ensure=False)
            for report in reports:
                await exchange.publish(report, "case-answered.isfahan", mandatory=True)

        self.desk.broker.do(publish, "province.isfahan")

    def _answer(self, code: str) -> aio_pika.Message:
        event_id = str(uuid.uuid4())
        envelope = self.desk.province.envelope(
            code, "case-answered", 1, event_id=event_id, text="روادید شما صادر شده است."
        )
        return aio_pika.Message(
            json.dumps(envelope).encode(),
            content_type="application/cloudevents+json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=event_id,
            type=envelope["type"],
            user_id="province.isfahan",
        )

    def close(self) -> None:
        """Close the connection to Redis."""
        self._redis.close()


@contextmanager
def open_bench_desk(servers: Servers, replicas: int = 1) -> Iterator[BenchDesk]:
    """Start a desk with empty databases and so many processes of each service, and remove it at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        desk = RealDesk(folder, servers.postgres, servers.rabbit, servers.redis, servers.s3, new_interpreters=True)
        stack.callback(desk.close)
        for name in OURS * (replicas - 1):
            desk.replicate(name)
        addresses = {name: " ".join(f"127.0.0.1:{each.port}" for each in desk.replicas[name]) for name in OURS}
        upstreams = {route.service: addresses[route.service] for route in load_table().routes}
        gateway = stack.enter_context(open_gateway(GATEWAY / "nginx" / "start", upstreams, trusted_proxies="127.0.0.1"))
        process = Process()
        stack.callback(process.close)
        bench = BenchDesk(servers, desk, gateway, process)
        stack.callback(bench.close)
        yield bench
