"""Notifier: tells applicants by SMS and email what became of their request."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import Counter

from desk.chassis.app import Background, Worker, base_app
from desk.chassis.bus import Broker, Bus
from desk.chassis.crypto import Vault
from desk.chassis.db import Database
from desk.chassis.telemetry import Telemetry
from desk.notifier.channels import Channel
from desk.notifier.domain import ChannelName
from desk.notifier.events import RequestStatusChanged, RequestSubmitted
from desk.notifier.rendering import Renderer
from desk.notifier.service import Announcer, Dispatcher
from desk.notifier.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What notifier stands on; real ones in production, embedded ones in ``desk.local``.

    The service closes its database; the broker is closed by whoever opened it.
    """

    database: Database
    broker: Broker
    vault: Vault
    telemetry: Telemetry
    channels: Mapping[ChannelName, Channel]


def create_app(settings: Settings, *, parts: Parts) -> FastAPI:
    """Build the service. Raises ValueError if a channel is missing, since its messages would wait for ever."""
    if missing := set(ChannelName) - set(parts.channels):
        raise ValueError(f"no channel for {', '.join(sorted(missing))}")

    bus = Bus("notifier", parts.database, parts.broker, parts.telemetry)
    announcer = Announcer(parts.vault, Renderer(settings.public_url))
    bus.subscribe(RequestSubmitted, announcer.announce_submission)
    bus.subscribe(RequestStatusChanged, announcer.announce_status)

    outcomes = Counter(
        "desk_messages", "Tries to hand a message over", ["channel", "outcome"], registry=parts.telemetry.registry
    )
    dispatchers = {
        name: Dispatcher(parts.database, parts.vault, name, parts.channels[name], outcomes) for name in ChannelName
    }
    parts.database.committed.extend(dispatcher.wake for dispatcher in dispatchers.values())

    app = base_app(
        "notifier",
        "Service Desk: notifier",
        parts.telemetry,
        ready=parts.database.ping,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=[
                Worker(f"dispatcher-{name}", dispatcher.run, dispatcher.finish)
                for name, dispatcher in dispatchers.items()
            ],
            stop=[parts.database.close],
        ),
    )
    app.state.db = parts.database
    app.state.bus = bus
    return app
