"""Tracking's wiring."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from fastapi import FastAPI
from prometheus_client import Counter

from desk.chassis.app import Background, Closers, PeriodicTask, Worker, base_app
from desk.chassis.app.database_errors import render_database_errors
from desk.chassis.audit import AuditLog, AuditTask, ChainPruning, chain_of, record_pruned
from desk.chassis.bus import Broker, Bus, Pruning, Relay
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.event_encryption import EventDecryptor, EventEncryptor
from desk.chassis.events import Outbox
from desk.chassis.rate_limits import RateLimits
from desk.chassis.service_tokens import ServiceTokens
from desk.chassis.support import Described
from desk.chassis.telemetry import Telemetry, telemetry_of
from desk.database import Database, Schema
from desk.iran.offices import OFFICES
from desk.security.logs import configure_logging
from desk.tracking.challenges import Challenges
from desk.tracking.clients import IntakeClient, RegistryClient
from desk.tracking.domain import Terms
from desk.tracking.events import (
    STATE_REPORTS,
    CaseCommented,
    CaseErased,
    CaseOpened,
    CaseReferred,
    CaseTakenOver,
    ErasureDone,
    NoticeFailed,
    RequestIdentityRejected,
    RequestPending,
    RequestProbed,
    RequestSubmitted,
)
from desk.tracking.routes import (
    TOKEN_AUDIENCE,
    ActionGuard,
    CaseReaderGuard,
    LookupGuard,
    OwnRequestsGuard,
    Services,
    respond,
    router,
)
from desk.tracking.service import (
    Actions,
    CaseContext,
    Contacts,
    Deadlines,
    Erasures,
    FailedNotices,
    FigureDocuments,
    Figures,
    HeadquartersReports,
    OfficeCases,
    Opening,
    OwnRequests,
    Probes,
    PublicFigures,
    Reconciliation,
    Reports,
    on_request_probed,
    utc_now,
)
from desk.tracking.settings import Settings
from desk.tracking.workers import (
    DaysOffTask,
    DeadlineTask,
    ErasureTask,
    FiguresTask,
    PersonsTask,
    ProbeTask,
    ReconciliationTask,
)

SOURCE = "/desk/tracking"
TOKEN_ISSUER = "tracking"  # noqa: S105 - a name, not a secret
FIGURES_KEPT_SECONDS = 60.0
"""The pause after the figures of all offices were made ahead."""
OFFICE_AUDIENCE = "desk.figures"
"""The audience of the assertions of offices for figures."""
CASE_AUDIENCE = "desk.cases"
"""The audience of the assertions of offices for a case."""
PROBE_AUDIENCE = "desk.probe.tracking"
"""The audience of the assertions of ``desk-probe``."""
REPORT_QUEUES = tuple(f"reports.{each.key}" for each in OFFICES)
"""One queue for the reports of each office, so that none can delay those of another."""
CLIENT_TIMEOUT_SECONDS = 3.0
REGISTRY_TIMEOUT_SECONDS = 1.5
"""Short, because a request is shown without its look-ups if registry-gateway does not answer."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The infrastructure of tracking: real in production, embedded in ``desk.local``."""

    database: Database
    broker: Broker
    rate_limits: RateLimits
    challenges: Challenges
    intake: IntakeClient
    registry: RegistryClient
    tokens: TokenIssuer
    vault: Vault
    telemetry: Telemetry
    close: Closers = ()
    """Called last when the service stops: the parts that other services do not share."""
    clock: Callable[[], datetime] = utc_now


def real_parts(settings: Settings) -> Parts:
    """Build the parts from the settings; connections are opened on first use."""
    telemetry = telemetry_of("tracking", settings)
    broker = RabbitBroker(settings.broker_url.get_secret_value(), telemetry)
    captcha = _client(settings, "captcha", settings.captcha_url, CLIENT_TIMEOUT_SECONDS)
    intake = _client(settings, "intake", settings.intake_url, CLIENT_TIMEOUT_SECONDS)
    registry = _client(settings, "registry-gateway", settings.registry_url, REGISTRY_TIMEOUT_SECONDS)
    rate_limits = RateLimits(settings.budget_url.get_secret_value(), "tracking:", telemetry)
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        broker=broker,
        rate_limits=rate_limits,
        challenges=Challenges.of(captcha),
        intake=IntakeClient(intake),
        registry=RegistryClient(registry),
        tokens=TokenIssuer(settings.token_private_key.get_secret_value(), TOKEN_ISSUER),
        vault=settings.vault(),
        telemetry=telemetry,
        close=(broker.close, captcha.aclose, intake.aclose, registry.aclose, rate_limits.close),
    )


def _client(settings: Settings, callee: str, url: str, timeout_seconds: float) -> httpx.AsyncClient:
    tokens = ServiceTokens(settings.service_private_key.get_secret_value(), "tracking")
    return tokens.client(callee, url, timeout_seconds)


def build_reconciliation(settings: Settings, parts: Parts, outbox: Outbox) -> Reconciliation:
    """Return the reconciliation, for the background task and for the command."""
    return Reconciliation(
        parts.database, outbox, parts.intake, settings.reconcile_days, timedelta(hours=settings.silent_hours)
    )


def build_outbox(settings: Settings) -> Outbox:
    """Return the outbox, which encrypts for the receivers in the settings."""
    return Outbox(SOURCE, EventEncryptor(settings.event_public_keys))


def build_context(settings: Settings, parts: Parts) -> CaseContext:
    """Return what all use cases share, for the service and for the commands."""
    terms = Terms(settings.work_calendar(), settings.objection_days, settings.question_days)
    return CaseContext(parts.vault, build_outbox(settings), terms, parts.clock)


def build_erasures(settings: Settings, parts: Parts, context: CaseContext) -> Erasures:
    """Return the erasures, for the service and for the command."""
    return Erasures(parts.database, context, settings.retention, parts.intake)


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire tracking; nothing is opened before the app starts. A caller that passes ``parts`` configures logging too."""
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    context = build_context(settings, parts)
    decryptor = EventDecryptor(settings.event_private_pems)
    bus = _subscribed_bus(settings, parts, context, decryptor)
    services = _services(settings, parts, context, bus, decryptor)
    app = base_app(
        "tracking",
        "Service Desk: tracking",
        parts.telemetry,
        described=Described(settings, Schema.of(parts.database, "desk.tracking")),
        ready=Schema.of(parts.database, "desk.tracking").require,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=_workers(settings, parts, context, services),
            stop=(parts.database.close, *parts.close),
        ),
    )
    render_database_errors(app)
    app.state.bus = bus
    app.state.services = services
    parts.telemetry.begin_errors_at_zero("POST", "/api/tracking")
    app.include_router(router)
    return app


def _subscribed_bus(settings: Settings, parts: Parts, context: CaseContext, decryptor: EventDecryptor) -> Bus:
    bus = Bus(
        "tracking",
        parts.database,
        parts.broker,
        parts.telemetry,
        decryptor,
        untrusted_queues=REPORT_QUEUES,
        per_second=settings.reports_per_second,
    )
    erasures, reports = build_erasures(settings, parts, context), Reports(context, parts.intake)
    opening, headquarters = Opening(context, erasures), HeadquartersReports(context, reports)
    bus.subscribe(RequestSubmitted, opening.on_request_submitted)
    bus.subscribe(RequestPending, opening.on_request_pending)
    bus.subscribe(RequestProbed, on_request_probed)
    bus.subscribe(RequestIdentityRejected, opening.on_identity_rejected)
    for report in STATE_REPORTS:
        bus.subscribe(report, reports.on_report)
    bus.subscribe(CaseOpened, reports.on_opened)
    bus.subscribe(CaseReferred, reports.on_referral)
    bus.subscribe(CaseTakenOver, headquarters.on_taken_over)
    bus.subscribe(CaseCommented, headquarters.on_commented)
    bus.subscribe(CaseErased, reports.on_case_erased)
    bus.subscribe(NoticeFailed, FailedNotices(context).on_notice_failed)
    bus.subscribe(ErasureDone, erasures.on_erasure_done)
    bus.on_invalid(reports.refusals.on_invalid)
    return bus


def _workers(settings: Settings, parts: Parts, context: CaseContext, services: Services) -> tuple[Worker, ...]:
    registry = parts.telemetry.registry
    relay = Relay(parts.database, context.outbox, parts.broker, parts.telemetry)
    parts.database.after_commit.append(relay.wake)
    deadlines = DeadlineTask(Deadlines(parts.database, context), registry)
    reconciliation = ReconciliationTask(build_reconciliation(settings, parts, context.outbox), registry)
    erasing = ErasureTask(build_erasures(settings, parts, context), registry)
    counting = FiguresTask(services.figures, registry)
    keeping = PeriodicTask(services.figure_documents.keep, FIGURES_KEPT_SECONDS)
    days_off = DaysOffTask(context.terms, parts.intake)
    pruning = Pruning(parts.database)
    listing = PersonsTask(services.own_requests)
    auditing = AuditTask(parts.database, parts.vault, registry)
    audit_pruning = ChainPruning(parts.database, chain_of(parts.vault), settings.audit_days, record_pruned)
    probing = ProbeTask(services.probes, registry, exported=settings.probe_public_key is not None)
    return (
        Worker("relay", relay.run, relay.finish),
        Worker("deadlines", deadlines.run, deadlines.finish),
        Worker("erasures", erasing.run, erasing.finish),
        Worker("figures", counting.run, counting.finish),
        Worker("persons", listing.run, listing.finish),
        Worker("kept figures", keeping.run, keeping.finish),
        Worker("days off", days_off.run, days_off.finish),
        Worker("watch", reconciliation.run, reconciliation.finish),
        Worker("pruning", pruning.run, pruning.finish),
        Worker("audit", auditing.run, auditing.finish),
        Worker("probes", probing.run, probing.finish),
        Worker("audit pruning", audit_pruning.run, audit_pruning.finish),
    )


def _services(settings: Settings, parts: Parts, context: CaseContext, bus: Bus, decryptor: EventDecryptor) -> Services:
    lookups_missing = Counter(
        "desk_lookups_missing", "Pages without the look-ups in the civil registry", registry=parts.telemetry.registry
    )
    audit = AuditLog(parts.database, parts.vault, parts.rate_limits)
    figures, challenges = Figures(parts.database, context), parts.challenges
    limits, vault = parts.rate_limits, parts.vault
    readers = ClientAssertions(settings.office_signing_keys, CASE_AUDIENCE, limits, audit)
    return Services(
        actions=Actions(parts.database, context, parts.intake, parts.registry, lookups_missing, audit),
        contacts=Contacts(
            database=parts.database,
            context=context,
            codes=challenges.contact_codes,
            rate_limits=limits,
            limit=settings.contact_changes_per_request,
            audit=audit,
            intake=parts.intake,
        ),
        figures=figures,
        figure_documents=FigureDocuments(figures, respond),
        public_figures=PublicFigures(figures, settings.published_figures),
        office_cases=OfficeCases(parts.database, context, audit),
        lookup_guard=LookupGuard(limits, challenges.security_codes, challenges.proofs, vault, settings, audit),
        own_requests=OwnRequests(parts.database, context, audit),
        own_requests_guard=OwnRequestsGuard(limits, challenges.list_codes, challenges.proofs, vault, settings),
        action_guard=ActionGuard(parts.rate_limits, parts.tokens.reader(TOKEN_AUDIENCE), parts.vault, settings),
        assertions=ClientAssertions(settings.office_signing_keys, OFFICE_AUDIENCE, parts.rate_limits, audit),
        case_readers=CaseReaderGuard(readers, limits, settings.cases_per_office),
        probes=Probes(
            parts.database, ClientAssertions(settings.probe_keys, PROBE_AUDIENCE, limits, audit), limits, context.clock
        ),
        tokens=parts.tokens,
        token_seconds=settings.token_seconds,
        session_seconds=settings.session_seconds,
        bus=bus,
        decryptor=decryptor,
    )
