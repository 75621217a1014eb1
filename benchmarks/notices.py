"""CPU time that notifier needs for a new request: an event consumed, an SMS and an email composed, stored and sent.

Notifier runs as a process of its own on real PostgreSQL, RabbitMQ, an SMTP server and an HTTP server as SMS provider.
Each event has its own request, mobile and email. Events are published at an even rate, as the relay of intake does
under load. Only the time of notifier's process counts (user and system). Figures are of this machine and run.
"""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import psutil

from desk.chassis.crypto import new_secret
from desk.security.logs import configure_logging
from desk.testing.event_keys import encrypted, event_key_pair, event_public_keys
from desk.testing.postgres import open_postgres
from desk.testing.rabbit import open_rabbit
from desk.testing.service_keys import public_keys

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.background import BackgroundLoop, MailServer
from support.embedded_desk import wait_for
from support.fork_server import ForkServer
from support.real_broker import RealBroker, run_commands
from support.real_service import Service, setting
from support.sms_server import GENERIC_KEY, SmsServer

GOAL_CPU_MS, GOAL_SECONDS = 5.0, 10.0
NAME = "bench-notices"
WARM_UP, CONSUMER_SECONDS = 150, 15
"""A new consumer first handles one event at a time, for ten seconds."""
IDLE_SECONDS = 10.0
PATIENCE_SECONDS = 300.0


class Bench:
    """Notifier and what it uses; ``arrived`` has the time at which the provider had each SMS, by mobile."""

    def __init__(self, folder: Path, stack: ExitStack, *, provider_seconds: float) -> None:
        self.postgres = stack.enter_context(open_postgres(settings={"fsync": "on", "full_page_writes": "on"}))
        rabbit = stack.enter_context(open_rabbit())
        self.loop = BackgroundLoop()
        stack.callback(self.loop.close)
        self.broker = RealBroker(self.loop, rabbit, NAME)
        self.sms, self.mail = SmsServer(), MailServer(self.loop)
        stack.callback(self.sms.stop)
        stack.callback(self.mail.close)
        self.sms.pause, self.sms.generic.state = provider_seconds, "delivered"
        fork_server = ForkServer(folder / "fork_server.log")
        stack.callback(fork_server.close)
        self.notifier = Service("notifier", fork_server, folder)
        self._set_up()
        stack.callback(self.broker.delete)
        stack.callback(self.notifier.kill)
        self._sent = 0

    def _set_up(self) -> None:
        owner = self.postgres.create_database(NAME, NAME, secrets.token_urlsafe(12))
        serving = self.postgres.create_role(NAME, f"{NAME}-serves", secrets.token_urlsafe(12))
        self.notifier.environment = {
            setting("notifier", name): value
            for name, value in {
                "DATABASE_URL": serving,
                "BROKER_URL": self.broker.url("notifier"),
                "VAULT_KEYS": f"k1:{new_secret()}",
                "INDEX_KEY": new_secret(),
                "SERVICE_PUBLIC_KEYS": json.dumps(public_keys("captcha")),
                "EVENT_PRIVATE_KEYS": json.dumps([event_key_pair("notifier")[0]]),
                "EVENT_PUBLIC_KEYS": json.dumps(event_public_keys("tracking")),
                "PUBLIC_URL": "https://desk.example.ir/",
                "SMTP_HOST": "127.0.0.1",
                "SMTP_PORT": str(self.mail.port),
                "SMTP_TLS": "none",
                "MAIL_FROM": "desk@example.ir",
                "SMS": "generic",
                "GENERIC_URL": self.sms.url,
                "GENERIC_KEY": GENERIC_KEY,
            }.items()
        }
        migrating = self.notifier.environment | {setting("notifier", "OWNER_DATABASE_URL"): owner}
        run_commands(
            migrating | self.broker.topology_settings,
            ("desk.notifier.main", ["migrate"]),
            ("desk.topology.main", ["apply"]),
        )
        self.notifier.start()
        wait_for(lambda: self.broker.queue("notifier").consumers > 0, PATIENCE_SECONDS)

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return new requests, each of another applicant."""
        found = [_submission(number) for number in range(self._sent, self._sent + count)]
        self._sent += count
        return found

    def publish(self, events: Sequence[dict[str, Any]], rate: float) -> dict[str, float]:
        """Publish the events at an even rate per second; return when each was published, by mobile."""
        times: dict[str, float] = {}
        wires = [(each, _wire(each)) for each in events]  # not encrypted between two events: that takes CPU time

        async def work(channel: aio_pika.abc.AbstractChannel) -> None:
            exchange, begun = await channel.get_exchange("desk.events"), time.monotonic()
            for place, (event, message) in enumerate(wires):
                await asyncio.sleep(begun + place / rate - time.monotonic())
                times[event["contact"]["mobile"]] = time.time()
                await exchange.publish(message, "request-submitted.isfahan")

        async def connected() -> None:
            connection = await aio_pika.connect(self.broker.url(), timeout=10)
            async with connection:
                await work(await connection.channel(publisher_confirms=True))

        self.loop.run(connected(), PATIENCE_SECONDS)
        return times

    def all_sent(self) -> bool:
        """Return whether the provider and the mail server have every message."""
        return min(len(self.sms.generic.taken), len(self.mail.mails)) >= self._sent

    def cpu_seconds(self) -> float:
        """Return the CPU time of notifier's process until now."""
        times = self.notifier.process.cpu_times()
        return float(times.user + times.system)

    def waits(self, published: dict[str, float]) -> list[float]:
        """Return the seconds from each event until the provider had its SMS, sorted."""
        with self.sms.lock:
            texts = {each["to"]: each["text"] for each in self.sms.generic.taken}
            return sorted(self.sms.arrivals[texts[mobile]] - at for mobile, at in published.items())


def _submission(number: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "tracking_code": f"{100_000_000_000 + number}",
        "submitted_at": now.isoformat(),
        "due_at": (now + timedelta(days=7)).isoformat(),
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "hajj_deposit_receipt", "title": "صدور قبض"},
        "applicant": {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"},
        "contact": {"mobile": f"+98912{1_000_000 + number}", "landline": None, "email": f"zahra{number}@example.ir"},
        "text": "قبض ودیعهٔ من صادر نشده است. لطفاً بررسی کنید.\n" * 4,
        "attachments": [{"name": "قبض.pdf"}],
    }


def _wire(event: dict[str, Any]) -> aio_pika.Message:
    event_id = str(uuid.uuid4())
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/desk/intake",
        "type": "ir.haj.desk.request-submitted.v1",
        "subject": event["tracking_code"],
        "time": datetime.now(UTC).isoformat(),
        "seq": 1,
        "datacontenttype": "application/json",
        "data": event,
    }
    return aio_pika.Message(
        json.dumps(encrypted(envelope, "notifier")).encode(),
        message_id=event_id,
        type=envelope["type"],
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


def measure(bench: Bench, count: int, rate: float) -> None:
    """Publish events at this rate and print what each cost."""
    events = bench.events(count)
    before = bench.cpu_seconds()
    published = bench.publish(events, rate)
    wait_for(bench.all_sent, PATIENCE_SECONDS)
    each_ms = (bench.cpu_seconds() - before) / count * 1000
    waits = bench.waits(published)
    p50, p95 = waits[len(waits) // 2], waits[int(len(waits) * 0.95)]
    print(f"  {count} events, {rate:g} per second: {each_ms:.2f} CPU-ms per event (goal {GOAL_CPU_MS:g})")
    print(f"    event until the provider has the SMS: p50 {p50:.2f} s, p95 {p95:.2f} s (goal {GOAL_SECONDS:g} s)")


def main() -> None:
    """Start the servers and notifier, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="events per measurement")
    parser.add_argument("--rates", type=float, nargs="+", default=[20], help="events per second")
    parser.add_argument("--provider-seconds", type=float, default=0.3, help="response time of the SMS provider")
    options = parser.parse_args()
    configure_logging(level="ERROR")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(folder, stack, provider_seconds=options.provider_seconds)
        print(f"notices: {psutil.cpu_count()} cores, notifier is process {bench.notifier.process.pid}")
        bench.publish(bench.events(WARM_UP), WARM_UP / CONSUMER_SECONDS)
        wait_for(bench.all_sent, PATIENCE_SECONDS)
        for rate in options.rates:
            measure(bench, options.count, rate)
        before = bench.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        print(f"  idle: {(bench.cpu_seconds() - before) / IDLE_SECONDS:.2%} of a core")


if __name__ == "__main__":
    main()
