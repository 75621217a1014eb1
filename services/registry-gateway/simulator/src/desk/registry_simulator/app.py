"""The wiring of the simulator."""

from fastapi import FastAPI

from desk.chassis.app import base_app
from desk.chassis.telemetry import Telemetry
from desk.registry_simulator import routes
from desk.registry_simulator.registry import SyntheticRegistry
from desk.registry_simulator.settings import Settings
from desk.security.logs import configure_logging


def create_app(settings: Settings | None = None) -> FastAPI:
    """Wire the simulator. Without ``settings`` it reads the environment and configures logging."""
    if settings is None:
        settings = Settings()
        configure_logging(settings.log_style, settings.log_level)
    app = base_app("registry-simulator", "Registry simulator", Telemetry("registry-simulator"))
    app.state.services = routes.Services(
        registry=SyntheticRegistry(settings.knobs), user=settings.user, password=settings.password.get_secret_value()
    )
    app.include_router(routes.router)
    if settings.control:
        app.include_router(routes.control)
    return app
