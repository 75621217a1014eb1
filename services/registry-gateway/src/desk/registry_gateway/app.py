"""The wiring of the registry gateway: real parts from settings, or the ones given."""

from dataclasses import dataclass
from typing import assert_never

from fastapi import FastAPI

from desk.chassis.app import Background, base_app
from desk.chassis.budget import Budgets
from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.db import Database
from desk.chassis.telemetry import Telemetry, configure_logging
from desk.registry_gateway import routes
from desk.registry_gateway.adapters import Registry
from desk.registry_gateway.adapters.simulator import SimulatedRegistry
from desk.registry_gateway.service import ISSUER, Allowances, RegistryDoor
from desk.registry_gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service stands on."""

    database: Database
    registry: Registry
    budgets: Budgets
    vault: Vault
    issuer: TokenIssuer
    telemetry: Telemetry


def real_parts(settings: Settings) -> Parts:
    """Build the parts the settings name."""
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        registry=_registry(settings),
        budgets=Budgets(settings.budget_url.get_secret_value()),
        vault=Vault.from_text(settings.vault_keys.get_secret_value(), settings.index_key.get_secret_value()),
        issuer=TokenIssuer(settings.token_private_key.get_secret_value(), ISSUER),
        telemetry=Telemetry("registry-gateway"),
    )


def _registry(settings: Settings) -> Registry:
    match settings.adapter:
        case "simulator":
            return SimulatedRegistry()
        case _:
            assert_never(settings.adapter)


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Build the service; whoever gives the parts has set up logging too."""
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    app = base_app(
        "registry-gateway",
        "Registry gateway",
        parts.telemetry,
        ready=parts.database.ping,
        background=Background(stop=[parts.database.close, parts.budgets.close]),
    )
    app.state.db = parts.database
    app.state.door = RegistryDoor(
        registry=parts.registry,
        database=parts.database,
        budgets=parts.budgets,
        allowances=Allowances(
            mismatches_per_source=settings.mismatches_per_source,
            mismatches_per_number=settings.mismatches_per_number,
            lookups_per_source=settings.lookups_per_source,
            lookups_per_number=settings.lookups_per_number,
        ),
        vault=parts.vault,
        issuer=parts.issuer,
        token_seconds=settings.token_seconds,
    )
    app.include_router(routes.router)
    return app
