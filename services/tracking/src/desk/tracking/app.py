"""Tracking's wiring."""

from dataclasses import dataclass

from fastapi import FastAPI

from desk.chassis.app import Background, Worker, base_app
from desk.chassis.budget import Budgets
from desk.chassis.bus import Broker, Bus, Relay
from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.db import Database
from desk.chassis.events import Outbox
from desk.chassis.telemetry import Telemetry
from desk.tracking import routes
from desk.tracking.clients import CaptchaClient, IntakeClient
from desk.tracking.events import REPORTS, RequestSubmitted
from desk.tracking.service import Tracking
from desk.tracking.settings import Settings

TOKEN_ISSUER = "tracking"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True, slots=True)
class Parts:
    """What tracking stands on; real ones in production, embedded ones in ``desk.local``.

    The service closes its database; the broker is closed by whoever opened it.
    """

    database: Database
    broker: Broker
    budgets: Budgets
    captcha: CaptchaClient
    intake: IntakeClient
    tokens: TokenIssuer
    vault: Vault
    telemetry: Telemetry


def create_app(settings: Settings, *, parts: Parts) -> FastAPI:
    """Wire tracking; nothing is opened before the app starts."""
    outbox = Outbox("/desk/tracking", parts.vault)
    tracking = Tracking(parts.database, parts.vault, outbox, parts.intake)
    bus = Bus("tracking", parts.database, parts.broker, parts.telemetry)
    bus.subscribe(RequestSubmitted, tracking.open_case)
    for report in REPORTS:
        bus.subscribe(report, tracking.record)
    relay = Relay(parts.database, outbox, parts.broker, parts.telemetry)
    parts.database.committed.append(relay.wake)
    app = base_app(
        "tracking",
        "Service Desk: tracking",
        parts.telemetry,
        ready=parts.database.ping,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=(Worker("relay", relay.run, relay.finish),),
            stop=(parts.database.close,),
        ),
    )
    app.state.db = parts.database
    app.state.bus = bus
    app.state.tracking = tracking
    app.state.doorkeeper = routes.Doorkeeper(parts.budgets, parts.captcha, settings)
    app.state.tokens = parts.tokens
    app.state.token_seconds = settings.token_seconds
    app.include_router(routes.router)
    return app
