"""Submissions through intake beside the bare limit, and what the embedded desk costs: ratios of one run.

Both apps are called in this process, in turn, with equal bodies and one request at a time in flight; the captcha peer
answers at once. A ratio of the same run holds on a noisy machine, an absolute number does not.
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
from pathlib import Path

import httpx
from bare import BareSqlite

from desk.chassis.budget import Budgets
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, new_key_pair, new_secret
from desk.chassis.db import Database, migrate
from desk.chassis.storage import FolderStore
from desk.chassis.telemetry import Telemetry, configure_logging
from desk.intake.app import IDENTITY_AUDIENCE, IDENTITY_ISSUER, Parts, create_app
from desk.intake.clients import CaptchaClient
from desk.intake.settings import Settings
from desk.topology.table import desk_topology

CHECKOUT = Path(__file__).parents[1]
FORM = {
    "province": "isfahan",
    "mobile": "09120000000",
    "email": "applicant@example.com",
    "subject": "umrah",
    "sub_subject": "umrah_visa",
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
}


async def rate(client: httpx.AsyncClient, headers: dict[str, str], count: int) -> float:
    """Submit ``count`` times, one after another; return submissions per second."""
    body = json.dumps(FORM).encode()
    begun = time.perf_counter()
    for _ in range(count):
        answer = await client.post(
            "/api/requests",
            content=body,
            headers=headers | {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"},
        )
        answer.raise_for_status()
    return count / (time.perf_counter() - begun)


async def against_the_bare_limit(rounds: int, count: int) -> None:
    """Print intake's rate as a share of the bare limit's, round by round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        private, public = new_key_pair()
        vault = Vault.from_text(f"k1:{new_secret()}", new_secret())
        url = f"sqlite+aiosqlite:///{folder / 'intake'}.sqlite3"
        await migrate("desk.intake", url)
        broker = EmbeddedBroker(f"sqlite+aiosqlite:///{folder / 'broker'}.sqlite3", desk_topology(), vault)
        await broker.open()
        peer = httpx.AsyncClient(
            transport=httpx.MockTransport(lambda _: httpx.Response(204)), base_url="http://captcha"
        )
        app = create_app(
            Settings.model_validate(
                {
                    "database_url": url,
                    "vault_keys": "unused",
                    "index_key": "unused",
                    "identity_public_key": public,
                    "captcha_url": "http://captcha",
                    "budget_url": "memory://",
                }
            ),
            parts=Parts(
                database=Database(url),
                broker=broker,
                storage=FolderStore(folder / "objects"),
                budgets=Budgets("memory://"),
                captcha=CaptchaClient(peer),
                identity=TokenReader(public, issuer=IDENTITY_ISSUER, audience=IDENTITY_AUDIENCE),
                vault=vault,
                telemetry=Telemetry("intake"),
            ),
        )
        token, _ = TokenIssuer(private, IDENTITY_ISSUER).issue(PERSON, audience=IDENTITY_AUDIENCE, seconds=1800)
        bare = BareSqlite(folder / "bare.sqlite3")
        await bare.open()
        headers = {"Authorization": f"Bearer {token}"}
        transports = {"intake": httpx.ASGITransport(app), "bare": httpx.ASGITransport(bare)}
        async with app.router.lifespan_context(app):
            shares = []
            for turn in range(rounds + 1):
                rates = {}
                for side, transport in transports.items():
                    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
                        rates[side] = await rate(client, headers, count)
                if turn:  # the first round warms up
                    shares.append(rates["intake"] / rates["bare"])
                    print(f"  round {turn}: intake {rates['intake']:.0f}/s, bare {rates['bare']:.0f}/s")
        await bare.close()
        await broker.close()
    print(f"intake / bare limit: median {statistics.median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})")


def the_embedded_desk() -> None:
    """Print how long the desk takes to its first page, its idle memory, and the first page's weight."""
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
            time.sleep(3)  # idle means that nothing is going on
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
    asyncio.run(against_the_bare_limit(options.rounds, options.count))


if __name__ == "__main__":
    main()
