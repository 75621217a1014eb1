"""Intake's wiring."""

from dataclasses import dataclass

from fastapi import FastAPI

from desk.chassis.app import Background, Worker, base_app
from desk.chassis.budget import Budgets
from desk.chassis.bus import Broker, Relay
from desk.chassis.crypto import TokenReader, Vault
from desk.chassis.db import Database
from desk.chassis.events import Outbox
from desk.chassis.storage import ObjectStore
from desk.chassis.telemetry import Telemetry
from desk.intake import routes
from desk.intake.clients import CaptchaClient
from desk.intake.service import Intake
from desk.intake.settings import Settings
from desk.intake.sweep import Sweep

IDENTITY_ISSUER, IDENTITY_AUDIENCE = "registry-gateway", "desk.identity"


@dataclass(frozen=True, slots=True)
class Parts:
    """What intake stands on; real ones in production, embedded ones in ``desk.local``.

    The service closes its database; the broker is closed by whoever opened it.
    """

    database: Database
    broker: Broker
    storage: ObjectStore
    budgets: Budgets
    captcha: CaptchaClient
    identity: TokenReader
    vault: Vault
    telemetry: Telemetry


def create_app(settings: Settings, *, parts: Parts) -> FastAPI:
    """Wire intake; nothing is opened before the app starts."""
    outbox = Outbox("/desk/intake", parts.vault)
    relay = Relay(parts.database, outbox, parts.broker, parts.telemetry)
    parts.database.committed.append(relay.wake)
    intake = Intake(parts.database, parts.vault, outbox, parts.storage, parts.captcha)
    sweep = Sweep(parts.database, parts.vault, parts.storage)
    app = base_app(
        "intake",
        "Service Desk: intake",
        parts.telemetry,
        ready=parts.database.ping,
        body_limits=routes.BODY_LIMITS,
        background=Background(
            workers=(Worker("relay", relay.run, relay.finish), Worker("sweep", sweep.run, sweep.finish)),
            stop=(parts.database.close,),
        ),
    )
    app.state.db = parts.database
    app.state.intake = intake
    app.state.budgets = parts.budgets
    app.state.uploads_per_identity = settings.uploads_per_identity
    app.state.identity = parts.identity
    app.include_router(routes.router)
    return app
