"""The desk on real servers: its services as processes, a public door before them, a province beside them."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import tomllib
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aio_pika
import asyncpg
import httpx
import psutil
from applicant import Applicant
from desk_process import wait_for
from nursery import Nursery
from province_desk import ProvinceDesk
from redis import Redis

from desk.chassis.crypto import new_key_pair, new_secret
from desk.registry_gateway.adapters.people import Person, people
from desk.servers.ports import free_port
from desk.servers.postgres import PostgresServer
from desk.servers.rabbit import QUEUE_SETTLE_SECONDS, RabbitServer
from desk.servers.redis import RedisServer
from desk.servers.s3 import S3Server

ROUTES = Path(__file__).parents[1] / "gateway" / "routes.toml"
SERVICES = ("captcha", "registry-simulator", "registry-gateway", "intake", "tracking", "notifier")
WITH_DATABASE = ("registry-gateway", "intake", "tracking", "notifier")
TABLES = {
    "intake": ("handover", "answer_file", "identity_check", "attachment", "request", "outbox", "inbox"),
    "tracking": ("refusal", "handover", "step", '"case"', "outbox", "inbox"),
    "notifier": ("attempt", "message", "outbox", "inbox"),
}
READ_QUEUES = ("intake", "tracking", "notifier")
START_DEADLINE = 60.0
STOP_SECONDS = 60.0
ONE_TASK_SECONDS = 120.0
REDIS_DATABASE = 7
TOKEN_LASTS = 1200.0
PLENTY = "1000000/minute"

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own, for whatever has to go on beside the test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="beside the test", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 60.0) -> T:
        """Do one thing there and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class MailServer:
    """Takes every email (RFC 5321, no more of it than a client needs) and keeps it."""

    def __init__(self, loop: Loop) -> None:
        self.mails: list[bytes] = []
        self.port = free_port()
        self._loop = loop
        self._server = loop.run(asyncio.start_server(self._talk, "127.0.0.1", self.port))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        try:
            await say("220 mail")
            while line := (await reader.readline()).strip().upper():
                if line == b"DATA":
                    await say("354 go on")
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                await say("221 bye" if line == b"QUIT" else "250 fine")
                if line == b"QUIT":
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever sent it was killed
        finally:
            writer.close()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            await self._server.wait_closed()

        self._loop.run(end())


class Service:
    """One process of one service; begun anew it keeps its port and goes on in its log."""

    arguments: tuple[str, ...] = ("--drain-seconds", "0")
    """How it is started; most experiments have nobody who would notice a sudden end."""

    def __init__(self, name: str, nursery: Nursery, folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment: dict[str, str] = {}
        self.log = folder / f"{name}-{self.port}.log"
        self.changed = False
        self._nursery = nursery
        self._order: tuple[str, dict[str, str]] = ("", {})
        self._process: psutil.Process | None = None

    @property
    def process(self) -> psutil.Process:
        """The process, for signals."""
        assert self._process is not None
        return self._process

    def start(self, prelude: str = "", **settings: str) -> None:
        """Start it. ``prelude`` is Python run in the process before the service; ``settings`` go over the usual."""
        self.changed = bool(prelude or settings)
        program = f"{prelude}\nfrom desk.{self.name.replace('-', '_')}.main import main\nmain()"
        changed = {setting(self.name, name): value for name, value in settings.items()}
        self._order = (program, self.environment | changed)
        self._begin()
        wait_for(self._is_up, START_DEADLINE)

    def _begin(self) -> None:
        program, environment = self._order
        pid = self._nursery.start(program, ["serve", "--port", str(self.port), *self.arguments], environment, self.log)
        try:
            self._process = psutil.Process(pid)
        except psutil.NoSuchProcess:  # it has killed itself already
            self._process = None

    def _is_up(self) -> bool:
        assert self.runs, f"{self.name} ended: {self.log.read_text()[-2000:]}"
        return self.answers("/health/live")

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.is_running()

    def answers(self, path: str) -> bool:
        """Tell whether a GET succeeds."""
        try:
            return httpx.get(f"{self.url}{path}", timeout=5).is_success
        except httpx.TransportError:
            return False

    def metric(self, name: str) -> float:
        """Read one of its metrics; one with labels is summed up."""
        lines = httpx.get(f"{self.url}/metrics", timeout=5).text.splitlines()
        found = [line for line in lines if line.partition(" ")[0].partition("{")[0] == name]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """End it as an orchestrator would."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.is_running():
            self._process.send_signal(how)
            psutil.wait_procs([self._process], timeout=STOP_SECONDS)
            assert not self._process.is_running(), f"{self.name} did not end"

    def restart(self, prelude: str = "", **settings: str) -> None:
        """End it in order and start it."""
        self.terminate()
        self.start(prelude, **settings)

    def revive(self) -> None:
        """Start it again as it was if it has ended, as an orchestrator would."""
        if not self.runs:
            self._begin()
            wait_for(lambda: not self.runs or self.answers("/health/live"), START_DEADLINE)


class PublicDoor(httpx.BaseTransport):
    """Passes public paths on as the gateway does; of several replicas each gets its turn."""

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


class RealApplicant(Applicant):
    """A synthetic person before the real desk, who reads pictures by looking into the store."""

    def __init__(self, desk: "RealDesk", place: int = 0) -> None:
        """``place`` chooses among the living synthetic people."""
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

    def captcha(self, purpose: str) -> dict[str, str]:
        challenge = self.client.post("/api/captchas", json={"purpose": purpose, "kind": "image"})
        assert challenge.status_code == 201, challenge.text
        return {"id": challenge.json()["id"], "answer": self.desk.answer_to(challenge.json()["id"])}

    def form(self, **changed: object) -> dict[str, Any]:
        mine = {"mobile": f"0912{self.place:07}", "email": f"applicant-{self.place}@example.com"}
        return super().form(**(mine | changed))


def living() -> list[Person]:
    """List the synthetic people who can ask for something."""
    return [person for person in people() if not person.deceased]


@dataclass(slots=True)
class Sent:
    """A submission for which a code was shown, and what it took."""

    code: str
    key: str
    with_email: bool
    statuses: list[int] = field(default_factory=list)


class RealDesk:
    """All services, a simulated registry among them, in databases, a virtual host and a bucket of their own."""

    def __init__(
        self, folder: Path, postgres: PostgresServer, rabbit: RabbitServer, redis: RedisServer, s3: S3Server
    ) -> None:
        self.postgres, self.rabbit, self.redis, self.s3 = postgres, rabbit, redis, s3
        self.folder = folder
        self.name = f"desk-{uuid.uuid4().hex[:8]}"
        self.ledger: list[Sent] = []
        self.loop = Loop()
        self.nursery = Nursery(folder / "nursery.log")
        self.mail = MailServer(self.loop)
        self._redis = Redis.from_url(self._redis_url, decode_responses=True)
        self.applicants: dict[int, tuple[float, RealApplicant]] = {}
        self._identifying = threading.Lock()
        self._log_marks: dict[str, int] = {}
        self.passwords = {
            user: secrets.token_urlsafe(12)
            for user in ("intake", "tracking", "notifier", "operator", "province.isfahan", "province.qom")
        }
        self.registry_password = secrets.token_urlsafe(12)
        self.databases = {
            name: postgres.create_database(f"{self.name}-{name}", f"{self.name}-{name}", secrets.token_urlsafe(12))
            for name in WITH_DATABASE
        }
        self.replicas: dict[str, list[Service]] = {}
        for name in SERVICES:
            self.replicas[name] = [Service(name, self.nursery, folder)]
        for name, settings in self._settings().items():
            self.replicas[name][0].environment |= settings
        self.client = httpx.Client(transport=PublicDoor(self.replicas), base_url="http://desk", timeout=30)
        self._set_up()
        self.province = ProvinceDesk(self.loop, self.broker_url("province.isfahan"), "isfahan")
        self._in_parallel([each.start for each in self.services])
        wait_for(self.is_served, START_DEADLINE)

    # what it consists of

    @property
    def services(self) -> list[Service]:
        return [each for replicas in self.replicas.values() for each in replicas]

    def __getitem__(self, name: str) -> Service:
        return self.replicas[name][0]

    @property
    def _redis_url(self) -> str:
        return urlsplit(self.redis.url)._replace(path=f"/{REDIS_DATABASE}").geturl()

    @property
    def management_url(self) -> str:
        parts = urlsplit(self.rabbit.management_url)
        return f"{parts.scheme}://{quote(self.rabbit.user)}:{quote(self.rabbit.password)}@{parts.netloc}"

    def broker_url(self, user: str | None = None) -> str:
        """Give the broker's address for one of the users with a password, or for its administrator."""
        parts = urlsplit(self.rabbit.amqp_url)
        name, password = (user, self.passwords[user]) if user else (self.rabbit.user, self.rabbit.password)
        place = f"{quote(name)}:{quote(password)}@{parts.hostname}:{parts.port}"
        return parts._replace(netloc=place, path=f"/{self.name}").geturl()

    def _settings(self) -> dict[str, dict[str, str]]:
        identity_private, identity_public = new_key_pair()
        tracking_private, tracking_public = new_key_pair()
        self.province_keys = {key: new_key_pair() for key in ("isfahan", "qom")}
        each = {name: self._store_settings(name) for name in WITH_DATABASE} | {"captcha": {}}
        budgets = {"BUDGET_URL": self._redis_url}
        peers = {"CAPTCHA_URL": self["captcha"].url}
        asking = peers | {"REGISTRY_URL": self["registry-gateway"].url}
        each["captcha"] |= {"REDIS_URL": self._redis_url, "ISSUE_BUDGET": PLENTY}
        each["captcha"] |= {"WORK_BUDGET": PLENTY, "WORK_MOST": "10"}
        each["registry-simulator"] = {"PASSWORD": self.registry_password, "CONTROL": "true"}
        each["registry-gateway"] |= (
            budgets
            | peers
            | self._registry_settings()
            | {
                "TOKEN_PRIVATE_KEY": identity_private,
                "MISMATCHES_PER_SOURCE": PLENTY,
                "LOOKUPS_PER_SOURCE": PLENTY,
                "LOOKUPS_PER_NUMBER": PLENTY,
                "LOOKUPS_OF_SERVICE": PLENTY,
            }
        )
        each["intake"] |= (
            budgets
            | asking
            | {
                "BROKER_URL": self.broker_url("intake"),
                "IDENTITY_PUBLIC_KEY": identity_public,
                "TRACKING_PUBLIC_KEY": tracking_public,
                "PROVINCE_KEYS": json.dumps({key: public for key, (_, public) in self.province_keys.items()}),
                "UPLOADS_PER_IDENTITY": PLENTY,
                "IDENTITY_CHECK_SECONDS": "1",
                "S3_ENDPOINT": self.s3.endpoint,
                "S3_ACCESS_KEY": self.s3.access_key,
                "S3_SECRET_KEY": self.s3.secret_key,
                "S3_BUCKET": self.name,
                "S3_REGION": self.s3.region,
                "S3_SECURE": str(self.s3.secure).lower(),
            }
        )
        each["tracking"] |= (
            budgets
            | asking
            | {
                "BROKER_URL": self.broker_url("tracking"),
                "TOKEN_PRIVATE_KEY": tracking_private,
                "INTAKE_URL": self["intake"].url,
                "MISSES_PER_SOURCE": PLENTY,
                "LOOKUPS_PER_SOURCE": PLENTY,
            }
        )
        each["notifier"] |= {
            "BROKER_URL": self.broker_url("notifier"),
            "PUBLIC_URL": "https://desk.example.ir/",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.mail.port),
            "SMTP_TLS": "none",
            "MAIL_FROM": "desk@example.ir",
            "SMS": "shown",
            "QUIET_FROM": "00:00",  # whatever hour the tests run at
            "QUIET_UNTIL": "00:00",
            "RECIPIENT_MOST": "1000000",
        }
        return {
            name: {setting(name, word): value for word, value in settings.items()} for name, settings in each.items()
        }

    def _registry_settings(self) -> dict[str, str]:
        return {
            "ADAPTER": "soap",
            "REGISTRY_URL": f"{self['registry-simulator'].url}/soap",
            "REGISTRY_USER": "desk",
            "REGISTRY_PASSWORD": self.registry_password,
            "OPENS_AT": "00:00",  # whatever hour the tests run at
            "CLOSES_AT": "00:00",
        }

    def _store_settings(self, name: str) -> dict[str, str]:
        return {
            "DATABASE_URL": self.databases[name],
            "VAULT_KEYS": f"k1:{new_secret()}",
            "INDEX_KEY": new_secret(),
        }

    # setting up and clearing away

    def _set_up(self) -> None:
        jobs = [(f"desk.{name.replace('-', '_')}.main", ["migrate"]) for name in WITH_DATABASE]
        environment = {key: value for each in self.services for key, value in each.environment.items()}
        self._command(
            environment | self._topology_settings,
            *jobs,
            ("desk.intake.main", ["set-up-storage"]),
            ("desk.topology.main", ["apply"]),
        )
        time.sleep(QUEUE_SETTLE_SECONDS)  # a fact of the broker, see there

    def apply_topology(self) -> None:
        """Bring the broker to the desk's topology; safe to do again."""
        self.topology("apply")

    def topology(self, *arguments: str) -> str:
        """Run ``desk-topology`` and return what it says."""
        return self._command(self._topology_settings, ("desk.topology.main", arguments))

    @property
    def _topology_settings(self) -> dict[str, str]:
        return {
            "DESK_TOPOLOGY_MANAGEMENT_URL": self.management_url,
            "DESK_TOPOLOGY_AMQP_URL": self.broker_url("operator"),
            "DESK_TOPOLOGY_VHOST": self.name,
            "DESK_TOPOLOGY_PASSWORDS": json.dumps(self.passwords),
        }

    @staticmethod
    def _command(environment: Mapping[str, str], *jobs: tuple[str, Sequence[str]]) -> str:
        """Run commands, one after the other in one process, since most of their time goes into imports."""
        program = "import sys\n" + "\n".join(
            f"from {module} import main\nsys.argv = {['command', *arguments]!r}\nmain()" for module, arguments in jobs
        )
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, "-c", program],
            env=dict(os.environ) | dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=ONE_TASK_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @staticmethod
    def _in_parallel(jobs: Sequence[Callable[[], object]]) -> None:
        with ThreadPoolExecutor(len(jobs)) as threads:
            for done in [threads.submit(job) for job in jobs]:
                done.result()

    def is_served(self) -> bool:
        """Tell whether every queue the desk reads has its consumers."""
        return all(self.queue(name).consumers >= len(self.replicas[name]) for name in READ_QUEUES)

    def replicate(self, name: str) -> Service:
        """Start one more process of a service, until the desk is healed."""
        another = Service(name, self.nursery, self.folder)
        another.environment = self[name].environment
        another.start()
        self.replicas[name].append(another)
        return another

    def heal(self) -> None:
        """Bring every service back to what it usually is, after an experiment."""
        for name, (first, *others) in self.replicas.items():
            for each in others:
                each.terminate()
            self.replicas[name] = [first]

        def mend(each: Service) -> None:
            if each.changed or not each.runs:
                each.kill()
                each.start()

        self._in_parallel([lambda each=each: mend(each) for each in self.services])
        wait_for(self.is_served, START_DEADLINE)

    def begin_anew(self) -> None:
        """Forget every request, wherever it is, so that an experiment is judged by its own alone."""
        self.ledger.clear()
        self.purge()
        for name in TABLES:
            wait_for(lambda name=name: self._empties(name))
        self.purge()
        self.province.forget()
        self.mail.mails.clear()
        self._log_marks = {str(each.log): each.log.stat().st_size for each in self.services}

    def _empties(self, name: str) -> bool:
        """Empty a service's tables; False if it was at work on them in the other order, and one had to give way."""
        try:
            self.execute(name, f"TRUNCATE {', '.join(TABLES[name])}")
        except asyncpg.DeadlockDetectedError:
            return False
        return True

    def close(self) -> None:
        """End everything, and take away what it left on the servers."""
        self._in_parallel([each.kill for each in self.services])
        self.province.close()
        self.mail.close()
        self.client.close()
        self.nursery.close()
        self._redis.flushdb()
        self._redis.close()
        self.loop.close()
        self.rabbit.delete_vhost(self.name)
        for name in WITH_DATABASE:
            self.postgres.drop_database(f"{self.name}-{name}")

    # a look inside

    def rows(self, service: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask a service's database."""
        return [tuple(row.values()) for row in self._on_database(service, lambda it: it.fetch(query, *values))]

    def execute(self, service: str, statement: str) -> None:
        """Change a service's database."""
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
        """Read a picture's digits where the captcha service keeps them."""
        found = self._redis.hget(f"captcha:{captcha_id}", "answer")
        assert isinstance(found, str), "there is no such challenge"
        return found

    def forget_redis(self) -> None:
        """Flush it."""
        self._redis.flushdb()

    def new_log_lines(self, service: str | None = None) -> list[str]:
        """Return what services have logged since this experiment began."""
        lines: list[str] = []
        for each in self.services:
            if service in {None, each.name} and each.log.exists():
                with each.log.open("rb") as log:
                    log.seek(self._log_marks.get(str(each.log), 0))
                    lines += log.read().decode().splitlines()
        return lines

    # the broker

    def on_broker(
        self, work: Callable[[aio_pika.abc.AbstractChannel], Coroutine[Any, Any, T]], user: str | None = None
    ) -> T:
        """Do something at the broker, as its administrator or as one of the users."""

        async def connected() -> T:
            connection = await aio_pika.connect(self.broker_url(user), timeout=10)
            async with connection:
                return await work(await connection.channel(publisher_confirms=True, on_return_raises=True))

        return self.loop.run(connected())

    def queue(self, name: str) -> "Queue":
        """Look at a queue."""

        async def look(channel: aio_pika.abc.AbstractChannel) -> Queue:
            found = (await channel.declare_queue(name, passive=True)).declaration_result
            return Queue(found.message_count or 0, found.consumer_count or 0)

        return self.on_broker(look)

    def waiting(self, *names: str) -> dict[str, int]:
        """Count what lies in these queues; empty ones are left out."""

        async def look(channel: aio_pika.abc.AbstractChannel) -> dict[str, int]:
            counts = {name: (await channel.declare_queue(name, passive=True)).declaration_result for name in names}
            return {name: found.message_count for name, found in counts.items() if found.message_count}

        return self.on_broker(look)

    def purge(self) -> None:
        """Empty every queue an experiment may have filled."""

        async def empty(channel: aio_pika.abc.AbstractChannel) -> None:
            for name in (*READ_QUEUES, "province.isfahan", "province.qom", *STUCK_QUEUES):
                await (await channel.get_queue(name)).purge()

        self.on_broker(empty)

    def manage(self, method: str, *path: str, body: object = None) -> httpx.Response:
        """Use the broker's management API in our virtual host."""
        place = "/".join(quote(part, safe="") for part in path)
        auth = (self.rabbit.user, self.rabbit.password)
        return httpx.request(method, f"{self.rabbit.management_url}/api/{place}", json=body, auth=auth, timeout=30)

    # applicants

    def applicant(self, place: int = 0) -> RealApplicant:
        """Give a person who has an identity token."""
        with self._identifying:
            since, known = self.applicants.get(place, (0.0, None))
            if known is None or time.monotonic() - since > TOKEN_LASTS:
                known = RealApplicant(self, place)
                known.identify()
                self.applicants[place] = (time.monotonic(), known)
            return known

    def submit(self, place: int = 0, *, key: str | None = None, seconds: float = 90.0, **changed: object) -> Sent:
        """Send a request as a patient person does: with one key, again and again until there is a code."""
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
                assert answer.json()["code"] == "captcha_expired", answer.text
                form = None
            time.sleep(0.1)
        raise AssertionError(f"no code within {seconds:.0f} s, but {statuses}")

    def note(self, code: str, key: str) -> None:
        """Write down a code that was shown to somebody who did not go by :meth:`submit`."""
        self.ledger.append(Sent(code, key, with_email=True))

    def submit_many(self, number: int, *, parallel: int = 4, **changed: object) -> list[Sent]:
        """Send so many requests, a few at a time."""
        with ThreadPoolExecutor(parallel) as threads:
            return list(threads.map(lambda place: self.submit(place % 40, **changed), range(number)))


@dataclass(frozen=True, slots=True)
class Queue:
    """How a queue stands: what lies ready in it, and who reads it."""

    messages: int
    consumers: int


DELAYS = ("5s", "1m", "10m", "1h")
STUCK_QUEUES = (*(f"delay.{delay}" for delay in DELAYS), *(f"{name}.dead" for name in READ_QUEUES))


def setting(service: str, name: str) -> str:
    """Name a setting of a service."""
    return f"DESK_{service.upper().replace('-', '_')}_{name}"
