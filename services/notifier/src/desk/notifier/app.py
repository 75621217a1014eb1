"""Notifier's wiring."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI
from prometheus_client import Counter
from pydantic import SecretStr

from desk.chassis.app import Background, Closers, PeriodicTask, Worker, base_app
from desk.chassis.app.database_errors import render_database_errors
from desk.chassis.audit import AuditLog, AuditTask, ChainPruning, chain_of, record_pruned
from desk.chassis.bus import Broker, Bus, Pruning, Relay
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import Vault
from desk.chassis.event_encryption import EventDecryptor, EventEncryptor
from desk.chassis.events import Outbox
from desk.chassis.rate_limits import RateLimits
from desk.chassis.service_tokens import Callers
from desk.chassis.support import Described
from desk.chassis.telemetry import Telemetry, telemetry_of
from desk.database import Database, Schema
from desk.notifier.channels import Channel, ShownChannel
from desk.notifier.channels.sms import SmsChannel
from desk.notifier.channels.smtp import SmtpChannel
from desk.notifier.domain import ChannelName, State
from desk.notifier.events import (
    RequestContactChanged,
    RequestErased,
    RequestPending,
    RequestStatusChanged,
    RequestSubmitted,
)
from desk.notifier.providers import Provider
from desk.notifier.providers.generic import GenericGateway
from desk.notifier.providers.kavenegar import Kavenegar
from desk.notifier.providers.smsir import SmsIr
from desk.notifier.rendering import Renderer
from desk.notifier.routes import Services, router, texts
from desk.notifier.service import Codes, DeliveryReports, Dispatcher, Erasures, Failures, Notices
from desk.notifier.service.texts import CurrentTexts, Previews, TextKind
from desk.notifier.settings import Settings
from desk.notifier.workers import CodePruning, DeliveryReportTask, DispatchGroup, FailureTask
from desk.security.logs import configure_logging
from desk.versions.callers import Editing
from desk.versions.current import PAUSE_SECONDS
from desk.versions.drafts import Drafts

TEXTS_AUDIENCE = "desk.texts"
"""The audience of the assertions with which headquarters edits the texts."""
SMS_DISPATCHERS = 3
"""While one waits for the slowest message of its batch, the others send theirs."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The infrastructure of notifier: real in production, embedded in ``desk.local``."""

    database: Database
    broker: Broker
    rate_limits: RateLimits
    vault: Vault
    telemetry: Telemetry
    channels: Mapping[ChannelName, Channel]
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """The SMS providers, for delivery reports."""
    close: Closers = ()
    """Called last when the service stops: the parts that other services do not share."""


def real_parts(settings: Settings) -> Parts:
    """Build the parts from the settings; connections are opened on first use."""
    telemetry = telemetry_of("notifier", settings)
    broker = RabbitBroker(settings.broker_url.get_secret_value(), telemetry)
    providers = {name: build_provider(settings, name) for name in settings.sms_weights}
    sms, email = SmsChannel(providers), smtp_channel(settings)
    rate_limits = RateLimits(settings.budget_url.get_secret_value(), "notifier:", telemetry)
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        broker=broker,
        rate_limits=rate_limits,
        vault=settings.vault(),
        telemetry=telemetry,
        channels={ChannelName.SMS: sms if providers else ShownChannel(), ChannelName.EMAIL: email},
        providers=providers,
        close=(broker.close, sms.close, email.close, rate_limits.close),
    )


def build_provider(settings: Settings, name: str) -> Provider:
    """Return the SMS provider ``name``, with its account from the settings."""
    if name == "kavenegar":
        key = _secret_value(settings.kavenegar_key)
        return Kavenegar(url=settings.kavenegar_url, key=key, sender=settings.kavenegar_sender)
    if name == "smsir":
        return SmsIr(
            url=settings.smsir_url,
            key=_secret_value(settings.smsir_key),
            line=settings.smsir_line,
            templates=settings.smsir_templates,
        )
    return GenericGateway(url=settings.generic_url, key=_secret_value(settings.generic_key))


def _secret_value(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def smtp_channel(settings: Settings) -> SmtpChannel:
    """Return the channel for email."""
    return SmtpChannel(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        sender=settings.mail_from,
    )


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire notifier; nothing is opened before the app starts. A caller that passes ``parts`` configures logging too.

    Raises ValueError if a channel is missing, because its messages would never be sent.
    """
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    if missing := set(ChannelName) - set(parts.channels):
        raise ValueError(f"no channel for {', '.join(sorted(missing))}")
    current = CurrentTexts(parts.database)
    renderer = Renderer(settings.public_url, current.get)
    outbox = build_outbox(settings)
    bus = _subscribed_bus(settings, parts, Notices(parts.vault, current, renderer, settings.sending_policy), outbox)
    app = base_app(
        "notifier",
        "Service Desk: notifier",
        parts.telemetry,
        described=Described(settings, Schema.of(parts.database, "desk.notifier")),
        callers=Callers("notifier", settings.service_public_keys),
        ready=_ready(parts.database, current),
        body_limits=texts.BODY_LIMITS,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=(*_workers(settings, parts, outbox), *_workers_of_texts(settings, parts, current)),
            stop=(parts.database.close, *parts.close),
        ),
    )
    render_database_errors(app)
    app.include_router(router)
    app.state.bus = bus
    audit = AuditLog(parts.database, parts.vault, parts.rate_limits)
    app.state.services = Services(
        database=parts.database,
        bus=bus,
        codes=Codes(parts.vault, current, renderer),
        editing=Editing(
            Drafts(parts.database, audit, TextKind(), current),
            ClientAssertions(settings.office_signing_keys, TEXTS_AUDIENCE, parts.rate_limits, audit),
        ),
        previews=Previews(renderer, current, _registered(settings)),
    )
    return app


def build_outbox(settings: Settings) -> Outbox:
    """Return the outbox, which encrypts for the receivers in the settings."""
    return Outbox("/desk/notifier", EventEncryptor(settings.event_public_keys))


def _ready(database: Database, current: CurrentTexts) -> Callable[[], Awaitable[None]]:
    """Return the check that messages can be queued: with the schema of this version, and with the texts in force."""
    schema = Schema.of(database, "desk.notifier")

    async def ready() -> None:
        await schema.require()
        await current.require_loaded()

    return ready


def _registered(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the names of the texts that each provider in use stores."""
    return {"smsir": frozenset(settings.smsir_templates)} if "smsir" in settings.sms_weights else {}


def _subscribed_bus(settings: Settings, parts: Parts, notices: Notices, outbox: Outbox) -> Bus:
    decryptor = EventDecryptor(settings.event_private_pems)
    bus = Bus("notifier", parts.database, parts.broker, parts.telemetry, decryptor)
    bus.subscribe(RequestSubmitted, notices.on_request_submitted)
    bus.subscribe(RequestPending, notices.on_request_pending)
    bus.subscribe(RequestStatusChanged, notices.on_status_changed)
    bus.subscribe(RequestContactChanged, notices.on_contact_changed)
    bus.subscribe(RequestErased, Erasures(parts.vault, outbox).on_request_erased)
    return bus


def _workers(settings: Settings, parts: Parts, outbox: Outbox) -> tuple[Worker, ...]:
    dispatching = _dispatch_groups(settings, parts)
    parts.database.after_commit.extend(group.wake for group in dispatching.values())
    reports = DeliveryReports(parts.database, parts.providers)
    tasks: dict[str, PeriodicTask] = {
        **{
            f"dispatcher-{name}-{number}": task
            for name, group in dispatching.items()
            for number, task in enumerate(group.tasks)
        },
        "failures": FailureTask(Failures(parts.database, outbox)),
        "codes": CodePruning(parts.database, parts.vault),
        "reports": DeliveryReportTask(reports, parts.providers, parts.telemetry.registry),
    }
    pruning = Pruning(parts.database)
    relay = Relay(parts.database, outbox, parts.broker, parts.telemetry)  # not woken: most commits publish nothing
    return (
        Worker("relay", relay.run, relay.finish),
        *(Worker(name, task.run, task.finish) for name, task in tasks.items()),
        Worker("pruning", pruning.run, pruning.finish),
    )


def _workers_of_texts(settings: Settings, parts: Parts, current: CurrentTexts) -> tuple[Worker, ...]:
    """Return the tasks that refresh the texts in force, and those of the audit log."""
    refreshing = PeriodicTask(current.run_once, PAUSE_SECONDS)
    auditing = AuditTask(parts.database, parts.vault, parts.telemetry.registry)
    pruning = ChainPruning(parts.database, chain_of(parts.vault), settings.audit_days, record_pruned)
    return (
        Worker("texts", refreshing.run, refreshing.finish),
        Worker("audit", auditing.run, auditing.finish),
        Worker("audit pruning", pruning.run, pruning.finish),
    )


def _dispatch_groups(settings: Settings, parts: Parts) -> dict[ChannelName, DispatchGroup]:
    outcomes = Counter(
        "desk_messages",
        "Attempts to send a message",
        ["channel", "provider", "outcome"],
        registry=parts.telemetry.registry,
    )
    groups = {}
    for name in ChannelName:
        weights = settings.sms_weights if name is ChannelName.SMS else {}
        for provider in weights or ("",):
            outcomes.labels(name, provider, State.FAILED)  # begins at 0, so that Prometheus sees the first increase
        dispatcher = Dispatcher(
            parts.database,
            parts.vault,
            name,
            parts.channels[name],
            outcomes=outcomes,
            weights=weights,
            tracing=parts.telemetry.tracing,
        )
        groups[name] = DispatchGroup(dispatcher, SMS_DISPATCHERS if weights else 1)
    return groups
