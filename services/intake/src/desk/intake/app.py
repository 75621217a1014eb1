"""Intake's wiring."""

from dataclasses import dataclass
from datetime import timedelta

import httpx
from fastapi import FastAPI

from desk.chassis.app import Background, Closers, Worker, base_app
from desk.chassis.bus import Broker, Bus, Pruning, Relay
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.crypto import TokenReader, Vault
from desk.chassis.events import Outbox
from desk.chassis.rate_limits import RateLimits
from desk.chassis.s3 import S3Settings, S3Store
from desk.chassis.storage import ObjectStore
from desk.chassis.telemetry import Telemetry, configure_logging
from desk.database import Database
from desk.intake import file_routes, internal_routes, routes
from desk.intake.assertions import ProvinceAssertions
from desk.intake.case_files import CaseFiles
from desk.intake.clients import CaptchaClient, RegistryClient
from desk.intake.events import PendingWithdrawn, Referred, Replied
from desk.intake.identity_checks import IdentityChecks
from desk.intake.receipts import Receipts
from desk.intake.reply_files import ReplyFiles
from desk.intake.service import Intake
from desk.intake.settings import Settings
from desk.intake.sweep import Sweep

IDENTITY_ISSUER, IDENTITY_AUDIENCE = "registry-gateway", "desk.identity"
TRACKING_ISSUER, TRACKING_AUDIENCE = "tracking", "desk.tracking"
PEER_TIMEOUT_SECONDS = 3.0
REGISTRY_TIMEOUT_SECONDS = 10.0
"""registry-gateway answers within six seconds, and nobody waits for this answer."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What intake stands on; real ones in production, embedded ones in ``desk.local``."""

    database: Database
    broker: Broker
    storage: ObjectStore
    rate_limits: RateLimits
    captcha: CaptchaClient
    registry: RegistryClient
    identity: TokenReader
    vault: Vault
    telemetry: Telemetry
    close: Closers = ()
    """Called last when the service stops: what is not shared with other services."""


def real_parts(settings: Settings) -> Parts:
    """Build the parts the settings name; nothing is opened before it is used."""
    telemetry = Telemetry("intake")
    broker = RabbitBroker(settings.broker_url.get_secret_value(), telemetry)
    captcha = httpx.AsyncClient(base_url=settings.captcha_url, timeout=PEER_TIMEOUT_SECONDS)
    registry = httpx.AsyncClient(base_url=settings.registry_url, timeout=REGISTRY_TIMEOUT_SECONDS)
    rate_limits = RateLimits(settings.budget_url.get_secret_value())
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        broker=broker,
        storage=object_store(settings),
        rate_limits=rate_limits,
        captcha=CaptchaClient(captcha),
        registry=RegistryClient(registry),
        identity=TokenReader(
            settings.identity_public_key.get_secret_value(), issuer=IDENTITY_ISSUER, audience=IDENTITY_AUDIENCE
        ),
        vault=Vault.from_text(settings.vault_keys.get_secret_value(), settings.index_key.get_secret_value()),
        telemetry=telemetry,
        close=(broker.close, captcha.aclose, registry.aclose, rate_limits.close),
    )


def object_store(settings: Settings) -> S3Store:
    """Give the bucket for attachments."""
    return S3Store(
        S3Settings(
            endpoint=settings.s3_endpoint,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            bucket=settings.s3_bucket,
            region=settings.s3_region,
            secure=settings.s3_secure,
            path_style=settings.s3_path_style,
            public_endpoint=settings.s3_public_endpoint,
        )
    )


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire intake; nothing is opened before the app starts. Whoever gives the parts has set up logging too."""
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    outbox = Outbox("/desk/intake", parts.vault)
    relay = Relay(parts.database, outbox, parts.broker, parts.telemetry)
    parts.database.after_commit.append(relay.wake)
    first_wait = timedelta(seconds=settings.identity_check_seconds)
    intake = Intake(
        parts.database,
        parts.vault,
        outbox,
        parts.storage,
        parts.captcha,
        Receipts(settings.receipt_private_key.get_secret_value(), settings.receipt_public_keys, settings.public_url),
        first_wait,
        settings.work_calendar(),
    )
    checks = IdentityChecks(parts.database, parts.vault, outbox, parts.registry, parts.telemetry, first_wait=first_wait)
    case_files = CaseFiles(parts.database, parts.vault, parts.storage)
    reply_files = ReplyFiles(parts.database, parts.vault, parts.storage)
    bus = Bus("intake", parts.database, parts.broker, parts.telemetry)
    bus.subscribe(Referred, case_files.hear_of_referral)
    bus.subscribe(PendingWithdrawn, checks.hear_of_withdrawal)
    bus.subscribe(Replied, reply_files.hear_of_reply)
    pruning = Pruning(parts.database)
    sweep = Sweep(parts.database, parts.vault, parts.storage)
    app = base_app(
        "intake",
        "Service Desk: intake",
        parts.telemetry,
        ready=parts.database.ping,
        body_limits=routes.BODY_LIMITS | file_routes.BODY_LIMITS,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=(
                Worker("relay", relay.run, relay.finish),
                Worker("identity checks", checks.run, checks.finish),
                Worker("sweep", sweep.run, sweep.finish),
                Worker("pruning", pruning.run, pruning.finish),
            ),
            stop=(parts.database.close, *parts.close),
        ),
    )
    app.state.services = parts
    app.state.intake = intake
    app.state.rate_limits = parts.rate_limits
    app.state.uploads_per_identity = settings.uploads_per_identity
    app.state.identity = parts.identity
    app.state.bus = bus
    app.state.case_files = case_files
    app.state.reply_files = reply_files
    app.state.assertions = ProvinceAssertions(settings.province_keys, parts.rate_limits)
    app.state.tracking_tokens = TokenReader(
        settings.tracking_public_key.get_secret_value(), issuer=TRACKING_ISSUER, audience=TRACKING_AUDIENCE
    )
    app.include_router(routes.router)
    app.include_router(file_routes.router)
    app.include_router(internal_routes.router)
    return app
