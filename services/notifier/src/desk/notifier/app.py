"""Notifier: tells applicants by SMS and email what became of their request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI
from prometheus_client import Counter, Gauge
from pydantic import SecretStr

from desk.chassis.app import Background, Closers, Worker, base_app
from desk.chassis.bus import Broker, Bus, Pruning
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.crypto import Vault
from desk.chassis.telemetry import Telemetry, configure_logging
from desk.database import Database
from desk.notifier import routes
from desk.notifier.channels import Channel, ShownChannel
from desk.notifier.domain import ChannelName
from desk.notifier.events import RequestPending, RequestStatusChanged, RequestSubmitted
from desk.notifier.providers import Provider
from desk.notifier.providers.generic import GenericGateway
from desk.notifier.providers.kavenegar import Kavenegar
from desk.notifier.providers.smsir import SmsIr
from desk.notifier.rendering import Renderer
from desk.notifier.reports import Reports
from desk.notifier.service import Announcer, Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.sms import SmsChannel
from desk.notifier.smtp import SmtpChannel

SIDE_BY_SIDE = 3
"""Dispatchers of SMS: while one waits for the slowest of its batch, the others hand over theirs."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What notifier stands on; real ones in production, embedded ones in ``desk.local``."""

    database: Database
    broker: Broker
    vault: Vault
    telemetry: Telemetry
    channels: Mapping[ChannelName, Channel]
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Those of SMS, for what became of messages."""
    close: Closers = ()
    """Called last when the service stops: what is not shared with other services."""


def real_parts(settings: Settings) -> Parts:
    """Build the parts the settings name; nothing is opened before it is used."""
    telemetry = Telemetry("notifier")
    broker = RabbitBroker(settings.broker_url.get_secret_value(), telemetry)
    providers = {name: _provider(settings, name) for name in settings.sms_weights}
    sms = SmsChannel(providers)
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        broker=broker,
        vault=Vault.from_text(settings.vault_keys.get_secret_value(), settings.index_key.get_secret_value()),
        telemetry=telemetry,
        channels={ChannelName.SMS: sms if providers else ShownChannel(), ChannelName.EMAIL: _mail(settings)},
        providers=providers,
        close=(broker.close, sms.close),
    )


def _provider(settings: Settings, name: str) -> Provider:
    if name == "kavenegar":
        key = _word(settings.kavenegar_key)
        return Kavenegar(url=settings.kavenegar_url, key=key, sender=settings.kavenegar_sender)
    if name == "smsir":
        return SmsIr(
            url=settings.smsir_url,
            key=_word(settings.smsir_key),
            line=settings.smsir_line,
            templates=settings.smsir_templates,
        )
    return GenericGateway(url=settings.generic_url, key=_word(settings.generic_key))


def _word(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def _reporters(settings: Settings, providers: Mapping[str, Provider]) -> dict[str, tuple[Provider, str]]:
    """Return the providers that may report to us, each with the secret of its address."""
    secrets = {
        "kavenegar": settings.kavenegar_report_secret,
        "smsir": settings.smsir_report_secret,
        "generic": settings.generic_report_secret,
    }
    return {name: (each, _word(secrets[name])) for name, each in providers.items() if secrets[name] is not None}


def _mail(settings: Settings) -> SmtpChannel:
    return SmtpChannel(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        sender=settings.mail_from,
    )


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Build the service; whoever gives the parts has set up logging too.

    Raises ValueError if a channel is missing, since its messages would wait for ever, and if a template named in the
    settings is none of ours.
    """
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    if missing := set(ChannelName) - set(parts.channels):
        raise ValueError(f"no channel for {', '.join(sorted(missing))}")

    bus = Bus("notifier", parts.database, parts.broker, parts.telemetry)
    renderer = Renderer(settings.public_url)
    if unknown := settings.smsir_templates.keys() - {each.name for each in renderer.wordings()}:
        raise ValueError(f"smsir_templates: there are no words called {', '.join(sorted(unknown))}")
    announcer = Announcer(parts.vault, renderer, settings.manners)
    bus.subscribe(RequestSubmitted, announcer.announce_submission)
    bus.subscribe(RequestPending, announcer.announce_pending)
    bus.subscribe(RequestStatusChanged, announcer.announce_status)

    outcomes = Counter(
        "desk_messages",
        "Tries to hand a message over",
        ["channel", "provider", "outcome"],
        registry=parts.telemetry.registry,
    )
    dispatchers = {
        name: Dispatcher(
            parts.database,
            parts.vault,
            name,
            parts.channels[name],
            outcomes=outcomes,
            weights=settings.sms_weights if name is ChannelName.SMS else None,
        )
        for name in ChannelName
    }
    reports = Reports(
        parts.database,
        parts.vault,
        parts.providers,
        trust=Gauge(
            "desk_sms_trust", "Part of its weight a provider keeps", ["provider"], registry=parts.telemetry.registry
        ),
        oldest=Gauge("desk_messages_late_seconds", "How late", ["channel"], registry=parts.telemetry.registry),
        given_up=Gauge(
            "desk_messages_given_up",
            "Messages of the last day that failed for good",
            ["channel", "trouble"],
            registry=parts.telemetry.registry,
        ),
    )
    parts.database.after_commit.extend(dispatcher.wake for dispatcher in dispatchers.values())

    pruning = Pruning(parts.database)
    app = base_app(
        "notifier",
        "Service Desk: notifier",
        parts.telemetry,
        ready=parts.database.ping,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=[
                Worker(f"dispatcher-{name}-{number}", dispatcher.run, dispatcher.finish)
                for name, dispatcher in dispatchers.items()
                for number in range(SIDE_BY_SIDE if name is ChannelName.SMS and settings.sms_weights else 1)
            ]
            + [
                Worker("reports", reports.run, reports.finish),
                Worker("pruning", pruning.run, pruning.finish),
            ],
            stop=[parts.database.close, *parts.close],
        ),
    )
    app.include_router(routes.router)
    app.state.reporters = _reporters(settings, parts.providers)
    app.state.services = parts
    app.state.bus = bus
    return app
