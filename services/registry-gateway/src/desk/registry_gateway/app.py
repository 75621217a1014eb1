"""The wiring of the registry gateway: real parts from settings, or the ones given."""

from dataclasses import dataclass
from typing import assert_never

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from desk.chassis.app import Background, base_app
from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.redis import connect
from desk.chassis.telemetry import Telemetry, configure_logging
from desk.database import Database
from desk.registry_gateway import clients, routes
from desk.registry_gateway.adapters import MobileRegistry, Registry
from desk.registry_gateway.adapters.http import open_client
from desk.registry_gateway.adapters.rest import RestRegistry
from desk.registry_gateway.adapters.shahkar import ShahkarRegistry
from desk.registry_gateway.adapters.simulator import SimulatedRegistry
from desk.registry_gateway.adapters.soap import LegacyUser, SoapRegistry
from desk.registry_gateway.clients import CaptchaClient
from desk.registry_gateway.ledger import Ledger
from desk.registry_gateway.line.call import Limits, Line, Meters
from desk.registry_gateway.line.hours import OpeningHours
from desk.registry_gateway.line.mobiles import MobileLine
from desk.registry_gateway.line.notes import Notes
from desk.registry_gateway.line.registry import RegistryLine
from desk.registry_gateway.rate_limits import Allowances, LookupBudgets
from desk.registry_gateway.service import ISSUER, RegistryDoor, Tokens
from desk.registry_gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service stands on."""

    database: Database
    registry: Registry
    mobiles: MobileRegistry | None
    """None where nobody is asked whose a mobile is."""
    redis: Redis
    captcha: CaptchaClient | None
    """None where a look-up wants no proof of work."""
    vault: Vault
    issuer: TokenIssuer
    telemetry: Telemetry


def real_parts(settings: Settings) -> Parts:
    """Build the parts the settings name; nothing is opened before it is used."""
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        registry=_registry(settings),
        mobiles=_mobiles(settings),
        redis=connect(settings.budget_url.get_secret_value()),
        captcha=_captcha(settings) if settings.require_proof else None,
        vault=Vault.from_text(settings.vault_keys.get_secret_value(), settings.index_key.get_secret_value()),
        issuer=TokenIssuer(settings.token_private_key.get_secret_value(), ISSUER),
        telemetry=Telemetry("registry-gateway"),
    )


def _registry(settings: Settings) -> Registry:
    http = _bus(settings, settings.registry_user, settings.registry_password)
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
            http = _bus(settings, settings.mobile_user, settings.mobile_password)
            return ShahkarRegistry(http, settings.mobile_url)
        case "simulator":
            return SimulatedRegistry()
        case _:
            assert_never(settings.mobile_check)


def _bus(settings: Settings, user: str, password: SecretStr) -> httpx.AsyncClient:
    return open_client(user, password.get_secret_value(), settings.lookups_in_flight, settings.answer_seconds)


def _captcha(settings: Settings) -> CaptchaClient:
    http = httpx.AsyncClient(base_url=settings.captcha_url, timeout=clients.SECONDS, trust_env=False)
    return CaptchaClient(http)


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Build the service; whoever gives the parts has set up logging too."""
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    ledger = Ledger(parts.database, parts.vault)
    meters, limits = Meters(parts.telemetry), _limits(settings)
    registry = _registry_line(settings, parts, Line("civil", limits, meters))
    mobiles = MobileLine(parts.mobiles, Line("mobiles", limits, meters)) if parts.mobiles is not None else None
    rate_limits = LookupBudgets(parts.redis, _allowances(settings), parts.telemetry)
    app = base_app(
        "registry-gateway",
        "Registry gateway",
        parts.telemetry,
        ready=parts.database.ping,
        background=Background(
            start=ledger.open,
            stop=[
                rate_limits.close,
                registry.close,
                *([mobiles.close] if mobiles is not None else []),
                *([parts.captcha.close] if parts.captcha is not None else []),
                parts.database.close,
            ],
        ),
    )
    app.state.services = parts
    app.state.door = RegistryDoor(
        registry=registry,
        mobiles=mobiles,
        ledger=ledger,
        rate_limits=rate_limits,
        captcha=parts.captcha,
        vault=parts.vault,
        tokens=Tokens(parts.issuer, settings.token_seconds),
        telemetry=parts.telemetry,
    )
    app.include_router(routes.router)
    return app


def _registry_line(settings: Settings, parts: Parts, line: Line) -> RegistryLine:
    notes = Notes(parts.redis, parts.vault, settings.daily_quota, settings.memory_seconds)
    return RegistryLine(parts.registry, line, notes, OpeningHours(settings.opens_at, settings.closes_at), parts.vault)


def _limits(settings: Settings) -> Limits:
    return Limits(
        seconds=settings.answer_seconds,
        in_flight=settings.lookups_in_flight,
        failures=settings.breaker_failures,
        pause_seconds=settings.breaker_seconds,
    )


def _allowances(settings: Settings) -> Allowances:
    return Allowances(
        mismatches_per_source=settings.mismatches_per_source,
        mismatches_per_number=settings.mismatches_per_number,
        lookups_per_source=settings.lookups_per_source,
        lookups_per_number=settings.lookups_per_number,
        lookups_of_service=settings.lookups_of_service,
        fan_out=settings.fan_out,
    )
