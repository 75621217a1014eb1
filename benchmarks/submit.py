"""Submissions through intake compared with two limits, and the cost of the embedded desk: ratios of one run.

The bare limit uses no framework, the named limit only the libraries without the desk. All apps are called in this
process, in turn, with equal bodies; the captcha peer and the broker respond immediately. A ratio of one run is
comparable on a busy machine, an absolute number is not.
"""

import argparse
import asyncio
import gzip
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import bare
import httpx
import named
from fastapi import FastAPI

from desk.chassis.bus import Consumer
from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, new_key_pair, new_secret
from desk.chassis.events import Message
from desk.chassis.rate_limits import RateLimits
from desk.chassis.storage import FolderStore
from desk.chassis.telemetry import Telemetry
from desk.database import Database, migrate
from desk.intake.app import IDENTITY_AUDIENCE, IDENTITY_ISSUER, Parts, create_app
from desk.intake.clients import RegistryClient, captcha_client
from desk.intake.settings import Settings
from desk.security.logs import configure_logging
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.postgres import PostgresServer, open_postgres

FORM = {
    "province": "isfahan",
    "mobile": "09120000000",
    "email": "applicant@example.com",
    "subject": "umrah",
    "sub_subject": "umrah_visa",
    "again": True,
    "text": "سلام، روادید عمرهٔ من چه زمانی صادر می‌شود؟ " * 10,
    "attachments": [],
    "captcha": {"id": "a" * 22, "answer": "12345"},
}
PERSON = {
    "sub": "8275737168",
    "birth_date": "1361-12-05",
    "first_name": "نرگس",
    "last_name": "باران‌دشت",
    "gender": "female",
    "status": "matched",
}


async def rate(transport: httpx.AsyncBaseTransport, headers: dict[str, str], count: int, parallel: int) -> float:
    """Submit ``count`` times, ``parallel`` at a time; return submissions per second."""
    body = json.dumps(FORM).encode()

    async def one_after_another(client: httpx.AsyncClient, share: int) -> None:
        for _ in range(share):
            answer = await client.post(
                "/api/requests",
                content=body,
                headers=headers | {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"},
            )
            answer.raise_for_status()

    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        begun = time.perf_counter()
        await asyncio.gather(*(one_after_another(client, count // parallel) for _ in range(parallel)))
        return count // parallel * parallel / (time.perf_counter() - begun)


class NullBroker:
    """Accepts every event immediately; ``relay.py`` measures the relay."""

    async def publish(self, message: Message) -> None:
        """Accept the event."""

    async def consume(self, queue: str, consumer: Consumer) -> None:
        """Deliver nothing."""

    async def drain(self) -> None:
        """Return, because nothing is in progress."""

    async def close(self) -> None:
        """Return, because nothing is open."""

    def alive(self) -> bool:
        """Report the broker as alive."""
        return True


@dataclass(frozen=True, slots=True)
class Intake:
    """A running intake, the headers of an identified applicant, and the other clients it needs."""

    app: FastAPI
    headers: dict[str, str]
    public_key: str
    captcha: httpx.AsyncClient


@asynccontextmanager
async def running_intake(url: str) -> AsyncIterator[Intake]:
    """Run intake on this database, without background load."""
    await migrate("desk.intake", url)
    private, public = new_key_pair()
    peer = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(204)), base_url="http://captcha")
    with tempfile.TemporaryDirectory() as objects:
        app = create_app(
            Settings.model_validate(
                {
                    "database_url": url,
                    "broker_url": "memory://",
                    "event_private_keys": [event_key_pair("intake")[0]],
                    "event_public_keys": event_public_keys(*Settings.receivers),
                    "s3_endpoint": "unused",
                    "s3_access_key": "unused-access-key",
                    "s3_secret_key": "unused-s3-password",
                    "vault_keys": f"k1:{new_secret()}",
                    "index_key": new_secret(),
                    "identity_public_key": public,
                    "tracking_public_key": public,
                    "receipt_private_key": private,
                    "public_url": "https://desk.example.ir",
                    "captcha_url": "http://captcha",
                    "registry_url": "http://registry-gateway",
                    "budget_url": "memory://",
                }
            ),
            parts=Parts(
                database=Database(url),
                broker=NullBroker(),
                storage=FolderStore(Path(objects)),
                rate_limits=RateLimits("memory://"),
                captcha=captcha_client(peer),
                registry=RegistryClient(peer),  # no identity is pending
                identity=TokenReader(public, issuer=IDENTITY_ISSUER, audience=IDENTITY_AUDIENCE),
                vault=Vault.from_text(f"k1:{new_secret()}", new_secret()),
                telemetry=Telemetry("intake"),
            ),
        )
        token, _ = TokenIssuer(private, IDENTITY_ISSUER).issue(PERSON, audience=IDENTITY_AUDIENCE, seconds=1800)
        async with app.router.lifespan_context(app):
            yield Intake(app, {"Authorization": f"Bearer {token}"}, public, peer)


async def against_the_limits(url: str, bare_app: bare.Bare, *, rounds: int, count: int, parallel: int) -> None:
    """Print intake's rate as a share of each limit's on the same kind of store, in each round."""
    rates: list[dict[str, float]] = []
    async with running_intake(url) as intake:
        libraries = await named.on_store(url, intake.public_key, intake.captcha)
        apps = {"intake": intake.app, "named": libraries.app, "bare": bare_app}
        for turn in range(rounds + 1):
            measured = {
                name: await rate(httpx.ASGITransport(each), intake.headers, count, parallel)
                for name, each in apps.items()
            }
            if turn:  # the first round warms up
                rates.append(measured)
                print(f"  round {turn}: " + ", ".join(f"{name} {each:.0f}/s" for name, each in measured.items()))
        await libraries.close()
    for part, whole in (("intake", "bare"), ("intake", "named"), ("named", "bare")):
        shares = [each[part] / each[whole] for each in rates]
        print(f"  {part} / {whole}: median {statistics.median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})")


async def intake_alone(url: str, *, rounds: int, count: int, parallel: int) -> float:
    """Return the median rate of submissions that intake writes; the first round warms up."""
    async with running_intake(url) as intake:
        rates = [
            await rate(httpx.ASGITransport(intake.app), intake.headers, count, parallel) for _ in range(rounds + 1)
        ]
    return statistics.median(rates[1:])


async def on_sqlite(rounds: int, count: int) -> None:
    """Measure the embedded store: one writer, so one submission at a time."""
    print("submissions on SQLite, one at a time")
    with tempfile.TemporaryDirectory() as folder:
        limit = await bare.on_sqlite(Path(folder) / "bare.sqlite3")
        url = f"sqlite+aiosqlite:///{folder}/intake.sqlite3"
        await against_the_limits(url, limit, rounds=rounds, count=count, parallel=1)
        await limit.close()


async def on_postgres(server: PostgresServer, parallel: int, rounds: int, count: int) -> None:
    """Measure the real store: one submission at a time shows the latency, many at a time the throughput."""
    print(f"submissions on PostgreSQL ({server.how}), {parallel} at a time")
    url = server.create_database("intake", "intake", "bench-password-of-postgres")
    limit = await bare.on_postgres(server.dsn)
    await against_the_limits(url, limit, rounds=rounds, count=count, parallel=parallel)
    await limit.close()


def the_embedded_desk() -> None:
    """Print the time until the desk's first page, its idle memory, and the size of the first page."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        command = [sys.executable, "-m", "desk.local.main", "up", "--port", "8099", "--data-dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            with httpx.Client(base_url="http://127.0.0.1:8099") as client:
                page = _first_page(client, begun)
                print(f"start to first page: {time.perf_counter() - begun:.1f} s (migrations included)")
                links = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
                files = [page.encode(), *(client.get(link).content for link in dict.fromkeys(links))]
                print(f"first page over the wire: {sum(len(gzip.compress(file)) for file in files) / 1024:.1f} KB")
            time.sleep(3)  # idle: no background work is running
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            resident = int(status.partition("VmRSS:")[2].split()[0])  # in KiB
            print(f"idle memory: {resident / 1024:.0f} MB")
        finally:
            process.terminate()
            process.wait()


def _first_page(client: httpx.Client, begun: float) -> str:
    while time.perf_counter() - begun < 60:  # noqa: PLR2004 - a minute is a failure
        try:
            return client.get("/").raise_for_status().text
        except httpx.TransportError:
            time.sleep(0.02)
    raise SystemExit("the desk did not start within a minute")


def main() -> None:
    """Run both measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=300, help="submissions per side and round")
    options = parser.parse_args()
    configure_logging(level="ERROR")
    the_embedded_desk()
    asyncio.run(on_sqlite(options.rounds, options.count))
    for parallel in (1, 16):
        with open_postgres(settings={"fsync": "on", "full_page_writes": "on"}) as server:
            asyncio.run(on_postgres(server, parallel, options.rounds, options.count))


if __name__ == "__main__":
    main()
