"""The wiring of the captcha service."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI
from redis.asyncio import Redis

from desk.captcha import domain, routes
from desk.captcha.domain import Kind
from desk.captcha.drawing import draw
from desk.captcha.pool import Pool, Recipe
from desk.captcha.service import Captchas
from desk.captcha.settings import Settings
from desk.captcha.speaking import speak
from desk.captcha.store import ChallengeStore
from desk.chassis.app import Background, Worker, base_app
from desk.chassis.redis_pool import redis_pool
from desk.chassis.telemetry import Telemetry, configure_logging


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service stands on."""

    redis: Redis
    telemetry: Telemetry
    choose_answer: Callable[[], str] = domain.choose_answer
    """Only the embedded desk gives another, for automated checks; no setting does."""


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Build the service on real parts, or on those given."""
    settings = settings or Settings()
    parts = parts or real_parts(settings)
    store = ChallengeStore(parts.redis)
    recipes = {Kind.IMAGE: Recipe(draw, settings.images_ready), Kind.SOUND: Recipe(speak, settings.sounds_ready)}
    pool = Pool(parts.redis, recipes, parts.choose_answer)
    background = Background(workers=[Worker("captcha-pool", pool.fill)], stop=[parts.redis.aclose])
    app = base_app("captcha", "Service Desk: captcha", parts.telemetry, ready=store.ping, background=background)
    app.state.captchas = Captchas(store, pool, settings, parts.telemetry.registry)
    app.include_router(routes.router)
    return app


def real_parts(settings: Settings) -> Parts:
    """Connect to Redis, bounded in connections and in time; nothing is opened before the first call."""
    configure_logging(settings.log_style, settings.log_level)
    pool = redis_pool(settings.redis_url.get_secret_value(), settings.redis_connections)
    return Parts(Redis.from_pool(pool), Telemetry("captcha"))
