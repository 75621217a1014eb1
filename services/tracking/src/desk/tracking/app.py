"""Tracking's wiring."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from fastapi import FastAPI
from prometheus_client import Counter

from desk.chassis.app import Background, Closers, Worker, base_app
from desk.chassis.bus import Broker, Bus, Pruning, Relay
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.command import TaskFailedError
from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.events import Outbox
from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry, configure_logging
from desk.database import Database
from desk.tracking import routes
from desk.tracking.clients import CaptchaClient, IntakeClient, RegistryClient
from desk.tracking.deadlines import Deadlines
from desk.tracking.domain import Terms
from desk.tracking.events import REPORTS, RequestIdentityRejected, RequestPending, RequestSubmitted
from desk.tracking.service import Alarms, Moves, Office, Opening, Reports
from desk.tracking.settings import Settings
from desk.tracking.watching import Reconciliation, Watch

SOURCE = "/desk/tracking"
TOKEN_ISSUER = "tracking"  # noqa: S105 - a name, not a secret
PEER_TIMEOUT_SECONDS = 3.0
REGISTRY_TIMEOUT_SECONDS = 1.5
"""A page does not wait long for what it can do without."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What tracking stands on; real ones in production, embedded ones in ``desk.local``."""

    database: Database
    broker: Broker
    rate_limits: RateLimits
    captcha: CaptchaClient
    intake: IntakeClient
    registry: RegistryClient
    tokens: TokenIssuer
    vault: Vault
    telemetry: Telemetry
    close: Closers = ()
    """Called last when the service stops: what is not shared with other services."""


def real_parts(settings: Settings) -> Parts:
    """Build the parts the settings name; nothing is opened before it is used."""
    telemetry = Telemetry("tracking")
    broker = RabbitBroker(settings.broker_url.get_secret_value(), telemetry)
    captcha = httpx.AsyncClient(base_url=settings.captcha_url, timeout=PEER_TIMEOUT_SECONDS)
    intake = httpx.AsyncClient(base_url=settings.intake_url, timeout=PEER_TIMEOUT_SECONDS)
    registry = httpx.AsyncClient(base_url=settings.registry_url, timeout=REGISTRY_TIMEOUT_SECONDS)
    rate_limits = RateLimits(settings.budget_url.get_secret_value())
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        broker=broker,
        rate_limits=rate_limits,
        captcha=CaptchaClient(captcha),
        intake=IntakeClient(intake),
        registry=RegistryClient(registry),
        tokens=TokenIssuer(settings.token_private_key.get_secret_value(), TOKEN_ISSUER),
        vault=Vault.from_text(settings.vault_keys.get_secret_value(), settings.index_key.get_secret_value()),
        telemetry=telemetry,
        close=(broker.close, captcha.aclose, intake.aclose, registry.aclose, rate_limits.close),
    )


def reconciliation(settings: Settings, parts: Parts, outbox: Outbox) -> Reconciliation:
    """Give the comparison, for the worker and for the command."""
    return Reconciliation(
        parts.database, outbox, parts.intake, settings.reconcile_days, timedelta(hours=settings.silent_hours)
    )


async def reconcile() -> list[str]:
    """Compare once, for the command line: a line for each difference and their count. Raises TaskFailedError."""
    settings = Settings()
    configure_logging(settings.log_style, settings.log_level)
    parts = real_parts(settings)
    try:
        found = await reconciliation(settings, parts, Outbox(SOURCE, parts.vault)).differences(datetime.now(UTC))
    except ServiceUnavailableError as error:
        raise TaskFailedError("intake does not answer: nothing was compared") from error
    finally:
        await parts.database.close()
        for close in parts.close:
            await close()
    lines = [f"{each.kind}: {each.where}" + (f" ({each.count})" if each.count > 1 else "") for each in found]
    return [*lines, f"{sum(each.count for each in found)} differences"]


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire tracking; nothing is opened before the app starts. Whoever gives the parts has set up logging too."""
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    outbox = Outbox(SOURCE, parts.vault)
    lookups_missing = Counter(
        "desk_lookups_missing", "Pages without the look-ups in the civil registry", registry=parts.telemetry.registry
    )
    office = Office(parts.vault, outbox, Terms(settings.work_calendar(), settings.objection_days))
    opening, reports = Opening(office), Reports(office)
    deadlines = Deadlines(parts.database, Alarms(office), parts.telemetry)
    watch = Watch(reconciliation(settings, parts, outbox), parts.telemetry.registry)
    bus = Bus("tracking", parts.database, parts.broker, parts.telemetry)
    bus.subscribe(RequestSubmitted, opening.open_case)
    bus.subscribe(RequestPending, opening.hold_case)
    bus.subscribe(RequestIdentityRejected, opening.reject_identity)
    for report in REPORTS:
        bus.subscribe(report, reports.record)
    pruning = Pruning(parts.database)
    relay = Relay(parts.database, outbox, parts.broker, parts.telemetry)
    parts.database.after_commit.append(relay.wake)
    app = base_app(
        "tracking",
        "Service Desk: tracking",
        parts.telemetry,
        ready=parts.database.ping,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=(
                Worker("relay", relay.run, relay.finish),
                Worker("deadlines", deadlines.run, deadlines.finish),
                Worker("watch", watch.run, watch.finish),
                Worker("pruning", pruning.run, pruning.finish),
            ),
            stop=(parts.database.close, *parts.close),
        ),
    )
    app.state.services = parts
    app.state.bus = bus
    app.state.office = office
    app.state.moves = Moves(parts.database, office, parts.intake, parts.registry, lookups_missing)
    app.state.deadlines = deadlines
    app.state.watch = watch
    app.state.doorkeeper = routes.Doorkeeper(parts.rate_limits, parts.captcha, settings)
    app.state.rate_limits = parts.rate_limits
    app.state.moves_per_request = settings.moves_per_request
    app.state.tokens = parts.tokens
    app.state.token_reader = parts.tokens.reader(routes.TOKEN_AUDIENCE)
    app.state.token_seconds = settings.token_seconds
    app.include_router(routes.router)
    return app
