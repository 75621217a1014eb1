"""Intake's wiring."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx
from fastapi import FastAPI

from desk.chassis.app import Background, Closers, HousekeepingTask, PeriodicTask, Worker, base_app
from desk.chassis.app.database_errors import render_database_errors
from desk.chassis.audit import AuditLog, AuditTask, ChainPruning, chain_of, record_pruned
from desk.chassis.bus import Broker, Bus, Pruning, Relay
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.captcha import CaptchaClient
from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import TokenReader, Vault
from desk.chassis.event_encryption import EventDecryptor, EventEncryptor
from desk.chassis.events import Outbox
from desk.chassis.rate_limits import RateLimits
from desk.chassis.s3 import S3Settings, S3Store
from desk.chassis.service_tokens import Callers, ServiceTokens
from desk.chassis.storage import ObjectStore
from desk.chassis.support import Described
from desk.chassis.telemetry import Telemetry, telemetry_of
from desk.database import Database, Schema
from desk.files.scanner import ClamScanner, NoScanner, Scanner
from desk.intake.clients import RegistryClient, captcha_client, code_client
from desk.intake.counter_clients import CodeSender, CounterRegistry
from desk.intake.events import Erased, PendingWithdrawn, Referred, Replied
from desk.intake.routes import attachments, catalog_drafts, counter, files, internal, probes, requests
from desk.intake.routes.dependencies import Services
from desk.intake.service import file_scans
from desk.intake.service.attachments import Uploads
from desk.intake.service.case_files import CaseFiles
from desk.intake.service.catalog_drafts import CatalogDrafts, CatalogKind
from desk.intake.service.counter import Counter
from desk.intake.service.current_catalog import CurrentCatalog
from desk.intake.service.erased_codes import ErasedCodes
from desk.intake.service.file_scans import FileScans
from desk.intake.service.mobile_check import MobileCheck
from desk.intake.service.mobile_proof import MobileProof
from desk.intake.service.probes import PRUNING_SECONDS, Probes
from desk.intake.service.receipts import Receipts
from desk.intake.service.reply_attachments import ReplyAttachments
from desk.intake.service.requests import RequestSubmission
from desk.intake.service.submission_limits import SubmissionLimits
from desk.intake.service.submitted_requests import SubmittedRequests
from desk.intake.settings import Settings
from desk.intake.workers import erasure, identity_check, upload_cleanup
from desk.intake.workers.erasure import ErasureTask
from desk.intake.workers.identity_check import IdentityCheck
from desk.intake.workers.upload_cleanup import UploadCleanup
from desk.security.logs import configure_logging
from desk.versions.callers import Editing
from desk.versions.current import PAUSE_SECONDS

IDENTITY_ISSUER, IDENTITY_AUDIENCE = "registry-gateway", "desk.identity"
TRACKING_ISSUER, TRACKING_AUDIENCE = "tracking", "desk.tracking"
OFFICE_AUDIENCE = "desk.files"
"""The audience of the assertions of offices for files."""
CATALOG_AUDIENCE = "desk.catalog"
"""The audience of the assertions with which headquarters edits the catalogue."""
COUNTER_AUDIENCE = "desk.counter"
"""The audience of the assertions of offices that register requests."""
PROBE_AUDIENCE = "desk.probe.intake"
"""The audience of the assertions of ``desk-probe``."""
PEER_TIMEOUT_SECONDS = 3.0
REGISTRY_TIMEOUT_SECONDS = 10.0
"""registry-gateway responds within six seconds, and no applicant waits for this response."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The infrastructure of intake; real in production, embedded in ``desk.local``."""

    database: Database
    broker: Broker
    storage: ObjectStore
    scanner: Scanner
    rate_limits: RateLimits
    captcha: CaptchaClient
    codes: CaptchaClient
    """Checks codes by SMS."""
    code_sender: CodeSender
    registry: RegistryClient
    counter_registry: CounterRegistry
    identity: TokenReader
    vault: Vault
    telemetry: Telemetry
    close: Closers = ()
    """Called last when the service stops, for parts that are not shared with other services."""


def real_parts(settings: Settings) -> Parts:
    """Build the parts from the settings; no connection is opened before it is used."""
    telemetry = telemetry_of("intake", settings)
    broker = RabbitBroker(settings.broker_url.get_secret_value(), telemetry)
    captcha = _client(settings, "captcha", settings.captcha_url, PEER_TIMEOUT_SECONDS)
    registry = _client(settings, "registry-gateway", settings.registry_url, REGISTRY_TIMEOUT_SECONDS)
    rate_limits = RateLimits(settings.budget_url.get_secret_value(), "intake:", telemetry)
    return Parts(
        database=Database(settings.database_url.get_secret_value()),
        broker=broker,
        storage=object_store(settings),
        scanner=NoScanner() if settings.scanner_url == "none" else ClamScanner(settings.scanner_url),
        rate_limits=rate_limits,
        captcha=captcha_client(captcha),
        codes=code_client(captcha),
        code_sender=CodeSender(captcha),
        registry=RegistryClient(registry),
        counter_registry=CounterRegistry(registry),
        identity=TokenReader(
            settings.identity_public_key.get_secret_value(), issuer=IDENTITY_ISSUER, audience=IDENTITY_AUDIENCE
        ),
        vault=settings.vault(),
        telemetry=telemetry,
        close=(broker.close, captcha.aclose, registry.aclose, rate_limits.close),
    )


def _client(settings: Settings, callee: str, url: str, timeout_seconds: float) -> httpx.AsyncClient:
    tokens = ServiceTokens(settings.service_private_key.get_secret_value(), "intake")
    return tokens.client(callee, url, timeout_seconds)


def object_store(settings: Settings) -> S3Store:
    """Return the bucket for attachments."""
    return S3Store(
        S3Settings(
            endpoint=settings.s3_endpoint,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            bucket=settings.s3_bucket,
            region=settings.s3_region,
            secure=settings.s3_secure,
            path_style=settings.s3_path_style,
        )
    )


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Wire intake; no connection is opened before the app starts. A caller that passes parts configures logging."""
    settings = settings or Settings()
    if parts is None:
        configure_logging(settings.log_style, settings.log_level)
        parts = real_parts(settings)
    outbox = Outbox("/desk/intake", EventEncryptor(settings.event_public_keys))
    relay = Relay(parts.database, outbox, parts.broker, parts.telemetry)
    parts.database.after_commit.append(relay.wake)
    scans = FileScans(parts.database, parts.vault, parts.storage, parts.scanner, parts.telemetry)
    catalog = CurrentCatalog(parts.database, settings.mobile_proof)
    refreshing = PeriodicTask(catalog.run_once, PAUSE_SECONDS)
    services = _services(settings, parts, outbox, scans, catalog)
    check = IdentityCheck(
        parts.database,
        parts.vault,
        outbox,
        parts.registry,
        parts.telemetry,
        first_wait=timedelta(seconds=settings.identity_check_seconds),
    )
    checking = PeriodicTask(check.run_once, identity_check.poll_seconds(settings.identity_check_seconds))
    cleanup = UploadCleanup(parts.database, parts.vault, parts.storage)
    cleaning = HousekeepingTask(cleanup.run_once, upload_cleanup.PAUSE_SECONDS)
    scanning = PeriodicTask(scans.run_once, file_scans.PAUSE_SECONDS)
    erasures = ErasureTask(parts.database, parts.vault, outbox, parts.storage, parts.telemetry)
    erasing = PeriodicTask(erasures.run_once, erasure.PAUSE_SECONDS)
    pruning = Pruning(parts.database)
    probe_pruning = HousekeepingTask(services.probes.prune, PRUNING_SECONDS)
    auditing = AuditTask(parts.database, parts.vault, parts.telemetry.registry)
    audit_pruning = ChainPruning(parts.database, chain_of(parts.vault), settings.audit_days, record_pruned)
    decryptor = EventDecryptor(settings.event_private_pems)
    bus = Bus("intake", parts.database, parts.broker, parts.telemetry, decryptor)
    bus.subscribe(Referred, services.case_files.on_request_referred)
    bus.subscribe(PendingWithdrawn, check.on_pending_withdrawn)
    bus.subscribe(Replied, services.reply_attachments.on_request_replied)
    bus.subscribe(Erased, erasures.on_request_erased)
    app = base_app(
        "intake",
        "Service Desk: intake",
        parts.telemetry,
        described=Described(settings, Schema.of(parts.database, "desk.intake")),
        ready=_ready(parts.database, catalog),
        callers=Callers("intake", settings.service_public_keys),
        body_limits=attachments.BODY_LIMITS | files.BODY_LIMITS | catalog_drafts.BODY_LIMITS,
        background=Background(
            start=bus.start,
            drain=bus.stop,
            workers=(
                Worker("relay", relay.run, relay.finish),
                Worker("identity checks", checking.run, checking.finish),
                Worker("upload cleanup", cleaning.run, cleaning.finish),
                Worker("erasures", erasing.run, erasing.finish),
                Worker("file scans", scanning.run, scanning.finish),
                Worker("catalogue", refreshing.run, refreshing.finish),
                Worker("pruning", pruning.run, pruning.finish),
                Worker("probe pruning", probe_pruning.run, probe_pruning.finish),
                Worker("audit", auditing.run, auditing.finish),
                Worker("audit pruning", audit_pruning.run, audit_pruning.finish),
            ),
            stop=(parts.database.close, *parts.close),
        ),
    )
    render_database_errors(app)
    app.state.bus = bus
    app.state.services = services
    for routes in (requests, attachments, files, catalog_drafts, counter, probes, internal):
        app.include_router(routes.router)
    parts.telemetry.begin_errors_at_zero("POST", "/api/requests")
    return app


def _ready(database: Database, catalog: CurrentCatalog) -> Callable[[], Awaitable[None]]:
    """Return the check that requests can be served: with the schema of this version, and by the catalogue in force."""
    schema = Schema.of(database, "desk.intake")

    async def ready() -> None:
        await schema.require()
        await catalog.require_loaded()

    return ready


def _services(settings: Settings, parts: Parts, outbox: Outbox, scans: FileScans, catalog: CurrentCatalog) -> Services:
    audit = AuditLog(parts.database, parts.vault, parts.rate_limits)
    drafts = CatalogDrafts(parts.database, audit, CatalogKind(), catalog)
    submission = RequestSubmission(
        parts.database,
        parts.vault,
        outbox,
        parts.storage,
        parts.captcha,
        catalog,
        SubmissionLimits(
            parts.rate_limits,
            parts.vault,
            per_identity=settings.requests_per_identity,
            per_mobile=settings.requests_per_mobile,
            per_email=settings.requests_per_email,
            per_source=settings.requests_per_source,
            pending_per_source=settings.pending_per_source,
            per_office=settings.requests_per_office,
        ),
        MobileProof(parts.codes, settings.mobile_proof),
        audit,
        first_check_after=timedelta(seconds=settings.identity_check_seconds),
        calendar=settings.work_calendar(),
        mobile_check=MobileCheck(parts.registry, parts.rate_limits, parts.vault, settings.mobile_checks_per_identity)
        if settings.mobile_check == "on"
        else None,
    )
    return Services(
        database=parts.database,
        catalog=catalog,
        submission=submission,
        requests=SubmittedRequests(parts.vault, outbox),
        uploads=Uploads(
            parts.database,
            parts.vault,
            parts.storage,
            scans,
            parts.rate_limits,
            per_identity=settings.uploads_per_identity,
            megabytes_per_identity=settings.upload_megabytes_per_identity,
            megabytes_per_source=settings.upload_megabytes_per_source,
        ),
        case_files=CaseFiles(parts.database, parts.vault, parts.storage, scans, audit),
        reply_attachments=ReplyAttachments(parts.database, parts.vault, parts.storage),
        receipts=Receipts(settings.receipt_private_key.get_secret_value(), settings.receipt_public_keys),
        erased_codes=ErasedCodes(parts.storage),
        identity_tokens=parts.identity,
        tracking_tokens=TokenReader(
            settings.tracking_public_key.get_secret_value(), issuer=TRACKING_ISSUER, audience=TRACKING_AUDIENCE
        ),
        assertions=ClientAssertions(settings.office_signing_keys, OFFICE_AUDIENCE, parts.rate_limits, audit),
        catalog_drafts=drafts,
        editing=Editing(
            drafts, ClientAssertions(settings.office_signing_keys, CATALOG_AUDIENCE, parts.rate_limits, audit)
        ),
        counter=Counter(
            parts.database,
            parts.vault,
            parts.rate_limits,
            audit,
            parts.counter_registry,
            parts.code_sender,
            settings.counter_codes_per_office,
            settings.mobile_proof,
            submission,
        ),
        counter_assertions=ClientAssertions(settings.office_signing_keys, COUNTER_AUDIENCE, parts.rate_limits, audit),
        probes=Probes(
            parts.database,
            parts.vault,
            outbox,
            ClientAssertions(settings.probe_keys, PROBE_AUDIENCE, parts.rate_limits, audit),
            parts.rate_limits,
        ),
    )
