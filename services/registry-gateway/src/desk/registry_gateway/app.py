"""The wiring of the registry gateway."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from desk.chassis.app import Background, Closers, Worker, base_app
from desk.chassis.app.database_errors import render_database_errors
from desk.chassis.audit import ChainPruning
from desk.chassis.captcha import CaptchaClient
from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.problem import ProofExpiredError, ProofWrongError
from desk.chassis.rate_limits import RateLimits
from desk.chassis.redis import connect
from desk.chassis.service_tokens import Callers, ServiceTokens
from desk.chassis.support import Described
from desk.chassis.telemetry import Telemetry, telemetry_of
from desk.database import Database, Schema
from desk.registry_gateway.adapters import MobileRegistry, Registry
from desk.registry_gateway.adapters.http import open_client
from desk.registry_gateway.adapters.rest import RestRegistry
from desk.registry_gateway.adapters.shahkar import ShahkarRegistry
from desk.registry_gateway.adapters.simulator import SimulatedRegistry
from desk.registry_gateway.adapters.soap import LegacyUser, SoapRegistry
from desk.registry_gateway.routes import Services, router
from desk.registry_gateway.service import (
    ISSUER,
    IdentityService,
    IdentityTokens,
    Ledger,
    LookupGuard,
    OfficeLimits,
    SourceLimits,
    VerdictLimit,
    ledger_chain,
)
from desk.registry_gateway.settings import Settings
from desk.registry_gateway.store import FanOut
from desk.registry_gateway.upstream import (
    CallLimits,
    LookupCache,
    MobileClient,
    OpeningHours,
    RegistryClient,
    ResilientClient,
    UpstreamMetrics,
)
from desk.security.logs import configure_logging

CAPTCHA_PURPOSE = "identity"
CAPTCHA_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The infrastructure of the registry gateway: real in production, embedded in ``desk.local``."""

    database: Database
    registry: Registry
    mobiles: MobileRegistry | None
    """None if mobiles are not checked."""
    redis: Redis
    captcha: CaptchaClient
    vault: Vault
    issuer: TokenIssuer
    telemetry: Telemetry
    close: Closers = ()
    """Called last when the service stops."""


def real_parts(settings: Settings) -> Parts:
    """Build the parts from the settings; connections are opened on first use."""
    redis = connect(settings.budget_url.get_secret_value())
    tokens = ServiceTokens(settings.service_private_key.get_secret_value(), "registry-gateway")
    captcha = tokens.client("captcha", settings.captcha_url, CAPTCHA_SECONDS)
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        registry=_registry(settings),
        mobiles=_mobiles(settings),
        redis=redis,
        captcha=captcha_client(captcha),
        vault=settings.vault(),
        issuer=TokenIssuer(settings.token_private_key.get_secret_value(), ISSUER),
        telemetry=telemetry_of("registry-gateway", settings),
        close=(captcha.aclose, redis.aclose),
    )


def captcha_client(http: httpx.AsyncClient) -> CaptchaClient:
    """Return a client that checks proofs of work."""
    return CaptchaClient(http, CAPTCHA_PURPOSE, wrong=ProofWrongError, expired=ProofExpiredError)


def _registry(settings: Settings) -> Registry:
    http = _bus_client(settings, settings.registry_user, settings.registry_password)
    match settings.adapter:
        case "soap":
            legacy = LegacyUser(settings.legacy_user, settings.legacy_password.get_secret_value())
            return SoapRegistry(http, settings.registry_url, settings.soap_action, legacy)
        case "rest":
            return RestRegistry(http, settings.registry_url)
        case "simulator":
            return SimulatedRegistry()
        case _:
            assert_never(settings.adapter)


def _mobiles(settings: Settings) -> MobileRegistry | None:
    match settings.mobile_check:
        case "off":
            return None
        case "shahkar":
            http = _bus_client(settings, settings.mobile_user, settings.mobile_password)
            return ShahkarRegistry(http, settings.mobile_url)
        case "simulator":
            return SimulatedRegistry()
        case _:
            assert_never(settings.mobile_check)


def _bus_client(settings: Settings, user: str, password: SecretStr) -> httpx.AsyncClient:
    return open_client(user, password.get_secret_value(), settings.lookups_in_flight, settings.answer_seconds)


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire the service; nothing is opened before it starts. A caller that passes ``parts`` configures logging too."""
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    ledger = Ledger(parts.database, parts.vault)
    pruning = ChainPruning(parts.database, ledger_chain(parts.vault), settings.ledger_days)
    rate_limits = RateLimits(parts.redis, "registry:", parts.telemetry)
    guard = LookupGuard(rate_limits, FanOut(parts.redis, settings.fan_out), _source_limits(settings), parts.telemetry)
    metrics, limits = UpstreamMetrics(parts.telemetry), _call_limits(settings)
    registry = _registry_client(settings, parts, ResilientClient("civil", limits, metrics))
    mobiles = (
        MobileClient(parts.mobiles, ResilientClient("mobiles", limits, metrics)) if parts.mobiles is not None else None
    )
    identities = IdentityService(
        registry=registry,
        mobiles=mobiles,
        ledger=ledger,
        guard=guard,
        verdicts=VerdictLimit(rate_limits, settings.mismatches_per_number),
        office_limits=OfficeLimits(
            rate_limits, settings.lookups_per_office, settings.mismatches_per_office, settings.lookups_of_service
        ),
        captcha=parts.captcha,
        proof_required=settings.require_proof,
        vault=parts.vault,
        tokens=IdentityTokens(parts.issuer, settings.token_seconds),
        telemetry=parts.telemetry,
    )
    closers = (guard.close, registry.close, *([mobiles.close] if mobiles is not None else []), parts.database.close)
    app = base_app(
        "registry-gateway",
        "Registry gateway",
        parts.telemetry,
        described=Described(settings, Schema.of(parts.database, "desk.registry_gateway")),
        ready=_ready(parts.database, ledger),
        background=Background(
            start=ledger.try_open,
            workers=(Worker("ledger pruning", pruning.run, pruning.finish),),
            stop=(*closers, *parts.close),
        ),
        callers=Callers("registry-gateway", settings.service_public_keys),
    )
    render_database_errors(app)
    app.state.services = Services(identities=identities)
    app.include_router(router)
    return app


def _ready(database: Database, ledger: Ledger) -> Callable[[], Awaitable[None]]:
    """Return the check that look-ups can be made: with the schema of this version, and with a sealed ledger."""
    schema = Schema.of(database, "desk.registry_gateway")

    async def ready() -> None:
        await schema.require()
        await ledger.require_open()

    return ready


def _registry_client(settings: Settings, parts: Parts, client: ResilientClient) -> RegistryClient:
    cache = LookupCache(parts.redis, parts.vault, settings.daily_quota, settings.memory_seconds)
    hours = OpeningHours(settings.opens_at, settings.closes_at)
    return RegistryClient(parts.registry, client, cache, hours, parts.vault)


def _call_limits(settings: Settings) -> CallLimits:
    return CallLimits(
        seconds=settings.answer_seconds,
        in_flight=settings.lookups_in_flight,
        failures=settings.breaker_failures,
        pause_seconds=settings.breaker_seconds,
    )


def _source_limits(settings: Settings) -> SourceLimits:
    return SourceLimits(
        mismatches_per_source=settings.mismatches_per_source,
        lookups_per_source=settings.lookups_per_source,
        lookups_of_service=settings.lookups_of_service,
    )
