"""The whole desk as one app: the same five services, on embedded parts, behind one gateway."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from desk.chassis.app import Background, base_app
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import Vault
from desk.chassis.storage import FolderStore
from desk.chassis.telemetry import Telemetry
from desk.database import migrate
from desk.local import demo, services
from desk.local.brokers import Brokers, EmbeddedBrokers
from desk.local.console import PATH, Console, ProvinceKeys
from desk.local.gateway import Gateway
from desk.local.keys import ServiceKeys, load_keys
from desk.local.office import SampleRequests
from desk.local.registry import SwitchedRegistry
from desk.local.services import EmbeddedParts, LocalSettings
from desk.registry_gateway.adapters.simulator import SimulatedRegistry
from desk.topology.table import desk_topology

SERVICES_WITH_STORES = ("registry_gateway", "intake", "tracking", "notifier")


def create_app(settings: LocalSettings, service_keys: ServiceKeys | None = None) -> Gateway:
    """Build the desk on the data folder, and create missing data. Raises OSError if the folder cannot be used.

    A caller that calls internal routes as a service does passes ``service_keys``; otherwise they are new.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    keys = load_keys(settings.folder)
    vault = keys.vault()
    brokers = _brokers(settings, vault)
    parts = EmbeddedParts(settings, keys, vault, brokers, service_keys or ServiceKeys())

    offices = ProvinceKeys.new(keys.event_keys, without=settings.office.key if settings.office else None)
    own = {settings.office.key: settings.office.keys.files_public} if settings.office else {}
    known_keys = {**offices.public, **settings.office_signing_keys, **own}
    notifier_app = services.build_notifier(parts, known_keys)
    captcha_app = services.build_captcha(parts, notifier_app)
    people = SimulatedRegistry()
    registry = SwitchedRegistry(people)
    registry_app = services.build_registry_gateway(parts, captcha_app, registry, people)
    storage = FolderStore(settings.folder / "objects")
    intake_app = services.build_intake(parts, captcha_app, registry_app, storage, known_keys)
    apps: dict[str, FastAPI] = {
        "captcha": captcha_app,
        "registry-gateway": registry_app,
        "intake": intake_app,
        "tracking": services.build_tracking(parts, captcha_app, intake_app, registry_app, known_keys),
        "notifier": notifier_app,
    }

    async def public_gateway(scope: Scope, receive: Receive, send: Send) -> None:
        await gateway(scope, receive, send)

    console = Console(
        database_url=parts.url("console"),
        vault_key=keys.vault_key,
        brokers=brokers,
        gateway=public_gateway,
        url=settings.public_url,
        keys=offices,
    )
    demonstration = _demo(parts, console, intake_app, registry)
    lifespan = _lifespan(parts, [*apps.values(), demonstration], console)
    gateway = Gateway(apps, {PATH: console.mounted, "/demo": demonstration, "/kit": demonstration}, lifespan=lifespan)
    return gateway


def _brokers(settings: LocalSettings, vault: Vault) -> Brokers:
    if settings.office is not None:
        return settings.office.brokers
    url = f"sqlite+aiosqlite:///{settings.folder / 'broker'}.sqlite3"
    return EmbeddedBrokers(EmbeddedBroker(url, desk_topology(), vault))


def _lifespan(parts: EmbeddedParts, apps: Sequence[FastAPI], console: Console) -> Callable[[], AsyncIterator[None]]:
    async def lifespan() -> AsyncIterator[None]:
        for service in SERVICES_WITH_STORES:
            await migrate(f"desk.{service}", parts.url(service))
        await parts.brokers.open()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(parts.brokers.close)
            await stack.enter_async_context(console.running())
            for app in apps:
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    return lifespan


def _demo(parts: EmbeddedParts, console: Console, intake_app: FastAPI, registry: SwitchedRegistry) -> FastAPI:
    messages = parts.database("notifier")
    app = base_app(
        "demo",
        "Service Desk: demonstration",
        Telemetry("demo"),
        background=Background(
            drain=parts.brokers.drain,
            stop=(messages.close,),
        ),
    )
    app.state.console = console
    app.state.office = parts.settings.office
    intake_services = intake_app.state.services
    app.state.samples = SampleRequests(intake_services.submission, intake_services.uploads)
    app.state.registry = registry
    app.state.files = intake_app.state.services.case_files
    app.state.messages = demo.Messages(messages, parts.vault)
    demo.add_to(app)
    return app
