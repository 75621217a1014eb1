"""The console's wiring."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.staticfiles import StaticFiles

from desk.console.clients import DeskClient, DeskClients, LibraryClient
from desk.console.encryption import Encryption
from desk.console.metrics import Metrics, RequestMetrics
from desk.console.middleware import RequestGuard
from desk.console.routes import (
    cases,
    catalog,
    colleagues,
    counter,
    figures,
    group_answers,
    headquarters,
    operation,
    search,
    sessions,
    sign_in,
    supervision,
    texts,
)
from desk.console.routes.dependencies import Demonstration, Services
from desk.console.routes.errors import add_error_pages
from desk.console.routes.pages import PACKAGE_FOLDER
from desk.console.service.attempts import Attempts
from desk.console.service.catalog import CatalogEditing
from desk.console.service.colleagues import Colleagues
from desk.console.service.counter import CounterDesk
from desk.console.service.drafts import Drafts
from desk.console.service.events import EventHandler
from desk.console.service.experts import Experts
from desk.console.service.figures import OfficeFigures
from desk.console.service.headquarters import Headquarters
from desk.console.service.proofs import Proofs
from desk.console.service.readings import Readings
from desk.console.service.reports import ReportSender
from desk.console.service.search import CaseSearch
from desk.console.service.sessions import Sessions
from desk.console.service.sign_in import SignIn
from desk.console.service.subjects import Subjects
from desk.console.service.supervision import Supervision
from desk.console.service.texts import TextEditing
from desk.console.settings import Settings
from desk.console.workers import ReportTask, chain_audit_entries, consume_events, index_outdated_cases, prune_old_rows
from desk.database import Database
from desk.security.rate_limits import RateLimits

REDIS_CONNECTIONS, REDIS_SECONDS = 50, 1.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """The infrastructure of the console: real in production, embedded in ``desk.local``."""

    database: Database
    encryption: Encryption
    clients: DeskClients
    demonstration: Demonstration | None = None
    clock: Callable[[], datetime] = _now
    redis: Redis | None = None
    """Where attempts are counted; in this process without it."""


def real_parts(settings: Settings) -> Parts:
    """Build the parts from the settings; connections are opened on first use."""
    database = Database(settings.database_url.get_secret_value())
    encryption = Encryption.from_text(settings.keys.get_secret_value())
    clients: Mapping[str, DeskClient] = {
        key: LibraryClient(
            key,
            broker_url=each.broker_url.get_secret_value(),
            desk_url=settings.desk_url,
            private_key=each.private_key.get_secret_value(),
            event_private_keys=[key.get_secret_value() for key in each.event_private_keys],
            database=database,
            encryption=encryption,
        )
        for key, each in settings.provinces.items()
    }
    return Parts(database, encryption, clients, redis=_redis(settings))


def _redis(settings: Settings) -> Redis | None:
    if settings.redis_url is None:
        return None
    pool = BlockingConnectionPool.from_url(
        settings.redis_url.get_secret_value(),
        max_connections=REDIS_CONNECTIONS,
        timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
    )
    return Redis.from_pool(pool)


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire the console; nothing is opened before the app starts."""
    settings = settings or Settings()
    parts = parts or real_parts(settings)
    services = _services(settings, parts)
    app = FastAPI(title="Service Desk: console", openapi_url=None, lifespan=_lifespan(settings, parts, services))
    app.state.services = services
    app.add_middleware(RequestMetrics, metrics=services.metrics)
    app.add_middleware(RequestGuard, tls=settings.secure_cookies)
    app.mount("/assets", StaticFiles(directory=PACKAGE_FOLDER / "assets"))
    for each in (
        sign_in,
        sessions,
        group_answers,
        cases,
        colleagues,
        figures,
        headquarters,
        catalog,
        texts,
        counter,
        figures,
        headquarters,
        search,
        supervision,
        operation,
    ):
        app.include_router(each.router)
    add_error_pages(app)
    return app


def _services(settings: Settings, parts: Parts) -> Services:
    database, encryption, clients, clock = parts.database, parts.encryption, parts.clients, parts.clock
    calendar = settings.calendar()
    subjects = Subjects(clients)
    return Services(
        sign_in=SignIn(
            database,
            encryption,
            clock,
            _attempts(settings, parts),
            settings.second_factor,
            timedelta(hours=settings.first_password_hours),
        ),
        sessions=Sessions(database, encryption, clock),
        experts=Experts(database, encryption, calendar, clients, clock),
        figures=OfficeFigures(clients),
        catalog=CatalogEditing(clients),
        texts=TextEditing(clients),
        colleagues=Colleagues(database, encryption, calendar, clock),
        counter=CounterDesk(database, encryption, clients, subjects, clock),
        case_search=CaseSearch(database, clients, clock),
        headquarters=Headquarters(database, encryption, calendar, clock),
        readings=Readings(database, encryption, clock),
        supervision=Supervision(database, encryption, clock),
        drafts=Drafts(database, encryption, clock),
        subjects=subjects,
        reports=ReportSender(database, encryption, calendar, clients, clock),
        metrics=Metrics(clients),
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
        secure_cookies=settings.secure_cookies,
        first_password_hours=settings.first_password_hours,
        desk_url=settings.desk_url,
        demonstration=parts.demonstration,
        clock=clock,
    )


def _attempts(settings: Settings, parts: Parts) -> Attempts:
    limits = RateLimits(parts.redis)
    proofs = Proofs(limits, parts.encryption.derive_key("proofs of work"), parts.clock)
    key = parts.encryption.derive_key("attempts")
    return Attempts(limits, proofs, key, settings.attempts_per_account, settings.attempts_per_address)


def _lifespan(
    settings: Settings, parts: Parts, services: Services
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    handler = EventHandler(parts.database, parts.encryption, settings.calendar(), parts.clock)
    sending = ReportTask(services.reports)
    parts.database.after_commit.append(sending.wake)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(sending.run(), name="reports"),
            *(
                asyncio.create_task(consume_events(client, key, handler, services.metrics), name=f"events of {key}")
                for key, client in parts.clients.items()
            ),
            asyncio.create_task(
                prune_old_rows(parts.database, parts.encryption, parts.clock, settings.audit_days), name="pruning"
            ),
            asyncio.create_task(chain_audit_entries(parts.database, parts.encryption), name="audit"),
            asyncio.create_task(index_outdated_cases(parts.database, parts.encryption), name="indexing"),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in parts.clients.values():
            await client.close()
        if parts.redis is not None:
            await parts.redis.aclose()
        await parts.database.close()

    return lifespan
