"""The wiring of the captcha service."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI
from redis.asyncio import Redis

from desk.captcha import domain
from desk.captcha.clients import TIMEOUT_SECONDS, NotifierClient
from desk.captcha.domain import Kind
from desk.captcha.images import draw_digits
from desk.captcha.routes import Services, router
from desk.captcha.service import Challenges, Pool, Recipe, SmsCodes
from desk.captcha.settings import Settings
from desk.captcha.sounds import speak_digits
from desk.captcha.store import ChallengeStore, PoolStore
from desk.captcha.workers import PoolTask
from desk.chassis.app import Background, Closers, Worker, base_app
from desk.chassis.rate_limits import RateLimits
from desk.chassis.redis_pool import redis_pool
from desk.chassis.service_tokens import Callers, ServiceTokens
from desk.chassis.support import Described
from desk.chassis.telemetry import Telemetry, telemetry_of
from desk.security.logs import configure_logging


@dataclass(frozen=True, slots=True)
class Parts:
    """The infrastructure of captcha: real in production, embedded in ``desk.local``."""

    redis: Redis
    telemetry: Telemetry
    choose_answer: Callable[[], str] = domain.choose_answer
    """Another function only in the embedded desk, for automated checks; there is no setting for it."""
    notifier: NotifierClient | None = None
    """Sends codes by SMS; without it there are none."""
    close: Closers = ()
    """Called last when the service stops: the parts that other services do not share."""


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire the service with real parts, or with ``parts``."""
    settings = settings or Settings()
    parts = parts or real_parts(settings)
    store = ChallengeStore(parts.redis, base64.b64decode(settings.index_key.get_secret_value()))
    pool = Pool(PoolStore(parts.redis), _recipes(settings), parts.choose_answer)
    task = PoolTask(pool)
    background = Background(
        workers=[Worker("captcha-pool", task.run, task.finish)],
        stop=(parts.redis.aclose, *parts.close),
    )
    app = base_app(
        "captcha",
        "Service Desk: captcha",
        parts.telemetry,
        described=Described(settings),
        ready=store.ping,
        background=background,
        callers=Callers("captcha", settings.service_public_keys),
    )
    limits = RateLimits(parts.redis, telemetry=parts.telemetry)
    challenges = Challenges(store, pool, limits, settings, parts.telemetry.registry)
    app.state.services = Services(
        challenges=challenges,
        sms_codes=SmsCodes(
            challenges,
            store,
            limits,
            notifier=parts.notifier,
            settings=settings,
            choose_answer=parts.choose_answer,
        ),
    )
    app.include_router(router)
    return app


def _recipes(settings: Settings) -> dict[Kind, Recipe]:
    return {
        Kind.IMAGE: Recipe(draw_digits, settings.images_ready),
        Kind.SOUND: Recipe(speak_digits, settings.sounds_ready),
    }


def real_parts(settings: Settings) -> Parts:
    """Build the parts from the settings and configure logging; connections are opened on first use."""
    configure_logging(settings.log_style, settings.log_level)
    pool = redis_pool(settings.redis_url.get_secret_value(), settings.redis_connections)
    redis, telemetry = Redis.from_pool(pool), telemetry_of("captcha", settings)
    if settings.notifier_url is None:
        return Parts(redis, telemetry)
    tokens = ServiceTokens(settings.service_private_key.get_secret_value(), "captcha")
    http = tokens.client("notifier", settings.notifier_url, TIMEOUT_SECONDS)
    return Parts(redis, telemetry, notifier=NotifierClient(http), close=(http.aclose,))
