"""The whole desk as one app: the same five services, given embedded parts, behind one door."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fakeredis import FakeAsyncRedis
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

import desk.captcha.app as captcha
import desk.captcha.settings
import desk.intake.app as intake
import desk.intake.clients
import desk.intake.settings
import desk.notifier.app as notifier
import desk.notifier.settings
import desk.registry_gateway.app as registry_gateway
import desk.registry_gateway.settings
import desk.tracking.app as tracking
import desk.tracking.clients
import desk.tracking.settings
from desk.captcha.domain import choose_answer
from desk.chassis.app import Background, base_app
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, public_key_of
from desk.chassis.rate_limits import RateLimits
from desk.chassis.storage import FolderStore
from desk.chassis.telemetry import Telemetry
from desk.database import Database, migrate
from desk.local import demo
from desk.local.console import PATH, Console, ProvinceKeys
from desk.local.gateway import Gateway
from desk.local.keys import Keys, load_keys
from desk.local.registry import SwitchedRegistry
from desk.notifier.channels import ShownChannel
from desk.notifier.domain import ChannelName
from desk.registry_gateway.adapters.simulator import SimulatedRegistry
from desk.topology.table import desk_topology

PEER_TIMEOUT_SECONDS = 5.0
IDENTITY_CHECK_SECONDS = "3"
"""Whoever tries the desk out does not want to wait a minute to see what becomes of a pending identity."""
SERVICES_WITH_STORES = ("registry_gateway", "intake", "tracking", "notifier")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """How the embedded desk is started."""

    folder: Path
    public_url: str = "http://127.0.0.1:8080"
    captcha_answer: str | None = None
    """A fixed security code, for automated checks only."""
    province_keys: Mapping[str, str] = field(default_factory=dict)
    """PEMs by which provinces with systems of their own are known when they ask for files."""


@dataclass(frozen=True, slots=True)
class _House:
    """What the embedded services share."""

    settings: LocalSettings
    keys: Keys
    vault: Vault
    broker: EmbeddedBroker

    def url(self, service: str) -> str:
        return f"sqlite+aiosqlite:///{self.settings.folder / service}.sqlite3"

    def database(self, service: str) -> Database:
        return Database(self.url(service))

    def settings_of(self, service: str, **own: str) -> dict[str, str]:
        """What the service would read from its environment."""
        stores = {
            "database_url": self.url(service),
            "vault_keys": self.keys.vault_keys,
            "index_key": self.keys.index_key,
        }
        return stores | own


def create_app(settings: LocalSettings) -> Gateway:
    """Build the desk on the folder's data, making what is not there yet. Raises OSError if the folder refuses."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    keys = load_keys(settings.folder)
    vault = keys.vault()
    broker = EmbeddedBroker(f"sqlite+aiosqlite:///{settings.folder / 'broker'}.sqlite3", desk_topology(), vault)
    house = _House(settings, keys, vault, broker)

    captcha_app = _captcha(settings)
    people = SimulatedRegistry()
    registry = SwitchedRegistry(people)
    registry_app = _registry_gateway(house, captcha_app, registry, people)
    storage = FolderStore(settings.folder / "objects", links_at=f"{settings.public_url}/demo/links")
    province_keys = ProvinceKeys.new()
    known_keys = {**province_keys.public, **settings.province_keys}
    intake_app = _intake(house, captcha_app, registry_app, storage, known_keys)
    apps: dict[str, FastAPI] = {
        "captcha": captcha_app,
        "registry-gateway": registry_app,
        "intake": intake_app,
        "tracking": _tracking(house, captcha_app, intake_app, registry_app),
        "notifier": _notifier(house),
    }

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        await gateway(scope, receive, send)

    console = Console(
        database_url=house.url("console"),
        vault_key=keys.vault_key,
        broker=broker,
        door=door,
        url=settings.public_url,
        keys=province_keys,
    )
    demonstration = _demo(house, console, intake_app, registry)
    demonstration.state.storage = storage
    lifespan = _lifespan(house, [*apps.values(), demonstration], console)
    gateway = Gateway(apps, {PATH: console.mounted, "/demo": demonstration, "/kit": demonstration}, lifespan=lifespan)
    return gateway


def _lifespan(house: _House, apps: Sequence[FastAPI], console: Console) -> Callable[[], AsyncIterator[None]]:
    async def lifespan() -> AsyncIterator[None]:
        for service in SERVICES_WITH_STORES:
            await migrate(f"desk.{service}", house.url(service))
        await house.broker.open()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(house.broker.close)
            await stack.enter_async_context(console.running())
            for app in apps:
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    return lifespan


def _peer(app: FastAPI) -> httpx.AsyncClient:
    """Call another service as over the network, only without the network."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://peer", timeout=PEER_TIMEOUT_SECONDS)


def _captcha(settings: LocalSettings) -> FastAPI:
    fixed = settings.captcha_answer
    house: dict[str, str | int] = {"redis_url": "redis://embedded", "images_ready": 16, "sounds_ready": 4}
    if fixed is not None:
        house["work_most"] = 10  # automated checks do the work too, and are not to wait for it
        house["issue_budget"] = house["work_budget"] = "2000/10 minutes"  # and all of them come from one source
    return captcha.create_app(
        desk.captcha.settings.Settings.model_validate(house),
        parts=captcha.Parts(
            redis=FakeAsyncRedis(max_connections=1000),
            telemetry=Telemetry("captcha"),
            choose_answer=choose_answer if fixed is None else lambda: fixed,
        ),
    )


def _registry_gateway(
    house: _House, captcha_app: FastAPI, registry: SwitchedRegistry, mobiles: SimulatedRegistry
) -> FastAPI:
    return registry_gateway.create_app(
        desk.registry_gateway.settings.Settings.model_validate(
            house.settings_of(
                "registry_gateway",
                adapter="simulator",
                opens_at="00:00",  # synthetic people may be looked up at night
                closes_at="00:00",
                breaker_seconds="1",  # whoever switches it off and on again does not want to wait
                captcha_url="http://captcha",
                budget_url="redis://embedded",
                token_private_key=house.keys.identity_private,
            )
        ),
        parts=registry_gateway.Parts(
            database=house.database("registry_gateway"),
            registry=registry,
            mobiles=mobiles,
            redis=FakeAsyncRedis(max_connections=1000),
            captcha=registry_gateway.captcha_client(_peer(captcha_app)),
            vault=house.vault,
            issuer=TokenIssuer(house.keys.identity_private, "registry-gateway"),
            telemetry=Telemetry("registry-gateway"),
        ),
    )


def _intake(
    house: _House,
    captcha_app: FastAPI,
    registry_app: FastAPI,
    storage: FolderStore,
    provinces: Mapping[str, str],
) -> FastAPI:
    return intake.create_app(
        desk.intake.settings.Settings.model_validate(
            house.settings_of(
                "intake",
                identity_public_key=house.keys.identity_public,
                tracking_public_key=public_key_of(house.keys.tracking_private),
                receipt_private_key=house.keys.receipt_private,
                public_url=house.settings.public_url,
                captcha_url="http://captcha",
                registry_url="http://registry-gateway",
                identity_check_seconds=IDENTITY_CHECK_SECONDS,
                budget_url="memory://",
                broker_url="embedded",
                s3_endpoint="embedded",
                s3_access_key="embedded",
                s3_secret_key="embedded",  # noqa: S106 - a folder asks for none
            )
            | {"province_keys": dict(provinces)}
        ),
        parts=intake.Parts(
            database=house.database("intake"),
            broker=house.broker,
            storage=storage,
            rate_limits=RateLimits("memory://"),
            captcha=desk.intake.clients.captcha_client(_peer(captcha_app)),
            registry=desk.intake.clients.RegistryClient(_peer(registry_app)),
            identity=TokenReader(
                house.keys.identity_public, issuer=intake.IDENTITY_ISSUER, audience=intake.IDENTITY_AUDIENCE
            ),
            vault=house.vault,
            telemetry=Telemetry("intake"),
        ),
    )


def _tracking(house: _House, captcha_app: FastAPI, intake_app: FastAPI, registry_app: FastAPI) -> FastAPI:
    return tracking.create_app(
        desk.tracking.settings.Settings.model_validate(
            house.settings_of(
                "tracking",
                token_private_key=house.keys.tracking_private,
                captcha_url="http://captcha",
                intake_url="http://intake",
                registry_url="http://registry-gateway",
                budget_url="memory://",
                broker_url="embedded",
            )
        ),
        parts=tracking.Parts(
            database=house.database("tracking"),
            broker=house.broker,
            rate_limits=RateLimits("memory://"),
            captcha=tracking.captcha_client(_peer(captcha_app)),
            intake=desk.tracking.clients.IntakeClient(_peer(intake_app)),
            registry=desk.tracking.clients.RegistryClient(_peer(registry_app)),
            tokens=TokenIssuer(house.keys.tracking_private, tracking.TOKEN_ISSUER),
            vault=house.vault,
            telemetry=Telemetry("tracking"),
        ),
    )


def _notifier(house: _House) -> FastAPI:
    return notifier.create_app(
        desk.notifier.settings.Settings.model_validate(
            house.settings_of(
                "notifier",
                public_url=house.settings.public_url,
                broker_url="embedded",
                smtp_host="embedded",
                mail_from="desk@example.com",
                sms="shown",
                quiet_from="00:00",  # whoever tries it out at night does not want to wait
                quiet_until="00:00",
                recipient_most="1000000",
            )
        ),
        parts=notifier.Parts(
            database=house.database("notifier"),
            broker=house.broker,
            vault=house.vault,
            telemetry=Telemetry("notifier"),
            channels=dict.fromkeys(ChannelName, ShownChannel()),
        ),
    )


def _demo(house: _House, console: Console, intake_app: FastAPI, registry: SwitchedRegistry) -> FastAPI:
    messages = house.database("notifier")
    app = base_app(
        "demo",
        "Service Desk: demonstration",
        Telemetry("demo"),
        background=Background(
            drain=house.broker.drain,
            stop=(messages.close,),
        ),
    )
    app.state.console = console
    app.state.registry = registry
    app.state.uploads = intake_app.state.services.uploads
    app.state.messages = demo.Messages(messages, house.vault)
    app.state.services = intake_app.state.services
    demo.add_to(app)
    return app
