"""The desk on real servers: its services as processes, a public gateway, and the system of one province."""

import secrets
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg
import httpx
from redis import Redis
from support.background import BackgroundLoop, MailServer
from support.cleaning import TABLES, clear_erased_codes, empties
from support.embedded_desk import wait_for
from support.fork_server import ForkServer
from support.province_system import ProvinceSystem
from support.public_gateway import PublicGateway, RealApplicant
from support.real_broker import READ_QUEUES, REPORT_QUEUES, RealBroker, run_commands
from support.real_service import START_DEADLINE, Service, setting
from support.real_settings import DeskEnvironment, settings_of
from support.sent import Sent

from desk.chassis.crypto import new_key_pair
from desk.testing.clamav import open_clamav
from desk.testing.postgres import PostgresServer
from desk.testing.rabbit import QUEUE_SETTLE_SECONDS, RabbitServer
from desk.testing.redis import RedisServer
from desk.testing.s3 import S3Server

SERVICES = ("captcha", "registry-simulator", "registry-gateway", "intake", "tracking", "notifier")
WITH_DATABASE = ("registry-gateway", "intake", "tracking", "notifier")
REDIS_DATABASE = 7
TOKEN_LASTS = 1200.0

T = TypeVar("T")


class RealDesk:
    """All services and a simulated registry, with their own databases, virtual host and bucket."""

    def __init__(
        self,
        folder: Path,
        postgres: PostgresServer,
        rabbit: RabbitServer,
        redis: RedisServer,
        s3: S3Server,
        *,
        redis_database: int = REDIS_DATABASE,
        production_limits: bool = False,
        new_interpreters: bool = False,
    ) -> None:
        """``production_limits`` leaves all rate limits at their defaults.

        ``new_interpreters`` starts each service as in production, so that memory and start times are its own.
        """
        self._redis_database = redis_database
        self.postgres, self.rabbit, self.redis, self.s3 = postgres, rabbit, redis, s3
        self.folder = folder
        self.name = f"desk-{uuid.uuid4().hex[:8]}"
        self.ledger: list[Sent] = []
        self.loop = BackgroundLoop()
        self.broker = RealBroker(self.loop, rabbit, self.name)
        self.fork_server = ForkServer(folder / "fork_server.log", new_interpreters=new_interpreters)
        self.mail = MailServer(self.loop)
        self.clamav = open_clamav()
        self._redis = Redis.from_url(self.redis_url, decode_responses=True)
        self.applicants: dict[int, tuple[float, RealApplicant]] = {}
        self._identifying = threading.Lock()
        self._log_marks: dict[str, int] = {}
        self.registry_password = secrets.token_urlsafe(12)
        self.databases = {
            name: postgres.create_database(f"{self.name}-{name}", f"{self.name}-{name}", secrets.token_urlsafe(12))
            for name in WITH_DATABASE
        }
        self.serving = {
            name: postgres.create_role(f"{self.name}-{name}", f"{self.name}-{name}-serves", secrets.token_urlsafe(12))
            for name in WITH_DATABASE
        }
        self.replicas: dict[str, list[Service]] = {}
        for name in SERVICES:
            self.replicas[name] = [Service(name, self.fork_server, folder)]
        self.office_signing_keys = {key: new_key_pair() for key in ("isfahan", "qom", "headquarters")}
        for name, settings in settings_of(self._desk_environment, production_limits=production_limits).items():
            self[name].environment |= settings
        self.client = httpx.Client(transport=PublicGateway(self.replicas), base_url="http://desk", timeout=30)
        self._set_up()
        self.province = ProvinceSystem(self.loop, self.broker.url("province.isfahan"), "isfahan")
        if new_interpreters:  # they import for seconds, and all at once they would need too long on a busy machine
            for each in self.services:
                each.start()
        else:
            self._in_parallel([each.start for each in self.services])
        wait_for(self.is_served, START_DEADLINE)

    # what it consists of

    @property
    def services(self) -> list[Service]:
        return [each for replicas in self.replicas.values() for each in replicas]

    def __getitem__(self, name: str) -> Service:
        return self.replicas[name][0]

    @property
    def redis_url(self) -> str:
        """The address of the Redis database of this desk."""
        return urlsplit(self.redis.url)._replace(path=f"/{self._redis_database}").geturl()

    @property
    def _desk_environment(self) -> DeskEnvironment:
        return DeskEnvironment(
            urls={name: self[name].url for name in SERVICES},
            databases=self.serving,
            redis_url=self.redis_url,
            broker_url=self.broker.url,
            s3=self.s3,
            bucket=self.name,
            mail_port=self.mail.port,
            scanner_url=self.clamav.url,
            registry_password=self.registry_password,
            office_signing_keys={key: public for key, (_, public) in self.office_signing_keys.items()},
        )

    # set-up and tear-down

    def _set_up(self) -> None:
        self.broker.import_topology()
        jobs = [(f"desk.{name.replace('-', '_')}.main", ["migrate"]) for name in WITH_DATABASE]
        environment = {key: value for each in self.services for key, value in each.environment.items()}
        environment |= {setting(name, "OWNER_DATABASE_URL"): url for name, url in self.databases.items()}
        run_commands(
            environment | self.broker.topology_settings,
            *jobs,
            ("desk.intake.main", ["set-up-storage"]),
            ("desk.topology.main", ["apply"]),
        )
        time.sleep(QUEUE_SETTLE_SECONDS)  # see the comment at the constant

    @staticmethod
    def _in_parallel(jobs: Sequence[Callable[[], object]]) -> None:
        with ThreadPoolExecutor(len(jobs) or 1) as threads:
            for done in [threads.submit(job) for job in jobs]:
                done.result()

    def is_served(self) -> bool:
        """Return whether every queue that the desk reads has its consumers."""
        readers = dict(zip(READ_QUEUES, READ_QUEUES, strict=True)) | dict.fromkeys(REPORT_QUEUES, "tracking")
        consumers = self.broker.consumers(*readers)
        return all(consumers[name] >= len(self.replicas[who]) for name, who in readers.items())

    def replicate(self, name: str) -> Service:
        """Start one more process of a service. It ends at the next `heal`."""
        another = Service(name, self.fork_server, self.folder)
        another.environment = self[name].environment
        another.start()
        self.replicas[name].append(another)
        return another

    def heal(self) -> None:
        """Restore the usual state of every service, after an experiment."""
        more = [each for replicas in self.replicas.values() for each in replicas[1:]]
        self._in_parallel([each.terminate for each in more])
        for name, (first, *_) in self.replicas.items():
            self.replicas[name] = [first]

        def repair(each: Service) -> None:
            if each.changed or not each.runs:
                each.kill()
                each.start()

        self._in_parallel([lambda each=each: repair(each) for each in self.services])
        if not self.is_served():
            self.broker.topology("apply")  # other tests of this run change users, which all virtual hosts share
        wait_for(self.is_served, START_DEADLINE)

    def clear_requests(self) -> None:
        """Delete every request from all services, so that an experiment sees only its own."""
        self.ledger.clear()
        self.broker.purge()
        for name in TABLES:
            wait_for(lambda name=name: empties(self.execute, name))
        clear_erased_codes(self.s3, self.name)
        self.broker.purge()
        self.province.forget()
        self.mail.mails.clear()
        self.forget_logs()

    def forget_logs(self) -> None:
        """Leave out of :meth:`new_log_lines` what was logged until now."""
        self._log_marks = {str(each.log): each.log.stat().st_size for each in self.services}

    def close(self) -> None:
        """Stop everything, and delete its data from the servers."""
        self._in_parallel([each.kill for each in self.services])
        self.province.close()
        self.mail.close()
        self.clamav.close()
        self.client.close()
        self.fork_server.close()
        self._redis.flushdb()
        self._redis.close()
        self.loop.close()
        self.broker.delete()
        for name in WITH_DATABASE:
            self.postgres.drop_database(f"{self.name}-{name}")

    # access for tests

    def rows(self, service: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Query the database of a service."""
        return [tuple(row.values()) for row in self._on_database(service, lambda it: it.fetch(query, *values))]

    def execute(self, service: str, statement: str) -> None:
        """Execute a statement in the database of a service."""
        self._on_database(service, lambda it: it.execute(statement))

    def _on_database(self, service: str, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        async def connected() -> T:
            connection = await asyncpg.connect(self.databases[service].replace("+asyncpg", ""), timeout=10)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return self.loop.run(connected())

    def answer_to(self, captcha_id: str) -> str:
        """Return the digits of a picture from the store of the captcha service."""
        found = self._redis.hget(f"captcha:{captcha_id}", "answer")
        assert isinstance(found, str), "there is no such challenge"
        return found

    def forget_redis(self) -> None:
        """Flush the Redis database."""
        self._redis.flushdb()

    def new_log_lines(self, service: str | None = None) -> list[str]:
        """Return what the services have logged since this experiment began."""
        lines: list[str] = []
        for each in self.services:
            if service in {None, each.name} and each.log.exists():
                with each.log.open("rb") as log:
                    log.seek(self._log_marks.get(str(each.log), 0))
                    lines += log.read().decode().splitlines()
        return lines

    # applicants

    def applicant(self, place: int = 0) -> RealApplicant:
        """Return an applicant with an identity token."""
        with self._identifying:
            since, known = self.applicants.get(place, (0.0, None))
            if known is None or time.monotonic() - since > TOKEN_LASTS:
                known = RealApplicant(self, place)
                known.identify()
                self.applicants[place] = (time.monotonic(), known)
            return known

    def submit(self, place: int = 0, *, key: str | None = None, seconds: float = 90.0, **changed: object) -> Sent:
        """Send a request with one key, and retry until there is a code."""
        key = key or str(uuid.uuid4())
        end, statuses = time.monotonic() + seconds, []
        form: dict[str, Any] | None = None
        while time.monotonic() < end:
            try:
                applicant = self.applicant(place)
                form = form or applicant.form(**changed)
                answer = applicant.send(form, key)
            except (httpx.TransportError, AssertionError):
                time.sleep(0.1)
                continue
            statuses.append(answer.status_code)
            if answer.status_code == httpx.codes.CREATED:
                sent = Sent(answer.json()["tracking_code"], key, bool(form["email"]), statuses)
                self.ledger.append(sent)
                return sent
            if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
                again = {"captcha_expired", "mobile_code_expired", "applicant_missing"}
                assert answer.json()["code"] in again, answer.text
                if answer.json()["code"] == "applicant_missing":  # the registry was too slow for the token's name
                    self.applicants.pop(place, None)
                form = None
            time.sleep(0.1)
        raise AssertionError(f"no code within {seconds:.0f} s, but {statuses}")

    def note(self, code: str, key: str) -> None:
        """Record a code that was shown to an applicant who did not use :meth:`submit`."""
        self.ledger.append(Sent(code, key, with_email=True))

    def submit_many(self, number: int, *, parallel: int = 4, **changed: object) -> list[Sent]:
        """Send ``number`` requests, ``parallel`` at a time."""
        with ThreadPoolExecutor(parallel) as threads:
            return list(threads.map(lambda place: self.submit(place % 40, **changed), range(number)))
