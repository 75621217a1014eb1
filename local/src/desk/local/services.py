"""Builds each service on embedded parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fakeredis import FakeAsyncRedis
from fastapi import FastAPI

import desk.captcha.app as captcha
import desk.captcha.settings
import desk.intake.app as intake
import desk.intake.clients
import desk.intake.counter_clients
import desk.intake.settings
import desk.notifier.app as notifier
import desk.notifier.settings
import desk.registry_gateway.app as registry_gateway
import desk.registry_gateway.settings
import desk.tracking.app as tracking
import desk.tracking.challenges
import desk.tracking.clients
import desk.tracking.settings
from desk.captcha.clients import NotifierClient
from desk.captcha.domain import choose_answer
from desk.chassis.crypto import TokenIssuer, TokenReader, Vault, public_key_of
from desk.chassis.rate_limits import RateLimits
from desk.chassis.storage import FolderStore
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.files.scanner import NoScanner
from desk.local.brokers import Brokers
from desk.local.keys import Keys, ServiceKeys
from desk.local.office import DevelopedOffice
from desk.local.registry import SwitchedRegistry
from desk.notifier.channels import ShownChannel
from desk.notifier.domain import ChannelName
from desk.registry_gateway.adapters.simulator import SimulatedRegistry

PLENTY = "100000/day"
IDENTITY_CHECK_SECONDS = "3"
"""Short, so that a demonstration does not wait a minute for the result of a pending identity check."""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Options of the embedded desk."""

    folder: Path
    public_url: str = "http://127.0.0.1:8080"
    captcha_answer: str | None = None
    """A fixed security code, for automated checks only."""
    office_signing_keys: Mapping[str, str] = field(default_factory=dict)
    """Public keys (PEM) of provinces with their own systems, for their requests for files."""
    office: DevelopedOffice | None = None
    """An office whose system is developed against this desk, over a real RabbitMQ."""


@dataclass(frozen=True, slots=True)
class EmbeddedParts:
    """What the embedded services share."""

    settings: LocalSettings
    keys: Keys
    vault: Vault
    brokers: Brokers
    service_keys: ServiceKeys

    def url(self, service: str) -> str:
        return f"sqlite+aiosqlite:///{self.settings.folder / service}.sqlite3"

    def database(self, service: str) -> Database:
        return Database(self.url(service))

    def settings_of(self, service: str, **own: str) -> dict[str, str]:
        """Return the settings that the service would read from its environment."""
        stores = {
            "database_url": self.url(service),
            "vault_keys": self.keys.vault_keys,
            "index_key": self.keys.index_key,
        }
        return stores | own

    def event_settings(self, service: str) -> dict[str, object]:
        """Return the keys with which the service reads events and encrypts them."""
        office = self.settings.office
        own = {} if office is None else {office.key: office.keys.events_public}
        return {
            "event_private_keys": [self.keys.event_keys[service]],
            "event_public_keys": self.keys.event_public_keys | own,
        }


def build_captcha(parts: EmbeddedParts, notifier_app: FastAPI) -> FastAPI:
    """Build captcha on an in-process Redis."""
    fixed = parts.settings.captcha_answer
    values: dict[str, object] = {"redis_url": "unix://embedded", "images_ready": 16, "sounds_ready": 4}
    values |= parts.service_keys.settings_of("captcha", "registry-gateway", "intake", "tracking")
    values |= {"notifier_url": "http://notifier", "index_key": parts.keys.index_key}
    if fixed is not None:
        values["work_most"] = 10  # automated checks do the work too, and should be fast
        values["issue_budget"] = values["work_budget"] = (
            "2000/10 minutes"  # and all of them have the same source address
        )
        values |= dict.fromkeys(("codes_per_mobile", "codes_per_mobile_daily", "codes_per_source"), PLENTY)
    return captcha.create_app(
        desk.captcha.settings.Settings.model_validate(values),
        parts=captcha.Parts(
            redis=FakeAsyncRedis(max_connections=1000),
            telemetry=Telemetry("captcha"),
            choose_answer=choose_answer if fixed is None else lambda: fixed,
            notifier=NotifierClient(parts.service_keys.peer("captcha", "notifier", notifier_app)),
        ),
    )


def build_registry_gateway(
    parts: EmbeddedParts, captcha_app: FastAPI, registry: SwitchedRegistry, mobiles: SimulatedRegistry
) -> FastAPI:
    """Build registry-gateway on the simulated registry."""
    return registry_gateway.create_app(
        desk.registry_gateway.settings.Settings.model_validate(
            parts.settings_of(
                "registry_gateway",
                adapter="simulator",
                opens_at="00:00",  # synthetic people may be looked up at night
                closes_at="00:00",
                breaker_seconds="1",  # a demonstration should not wait long after switching it on
                captcha_url="http://captcha",
                budget_url="unix://embedded",
                token_private_key=parts.keys.identity_private,
            )
            | parts.service_keys.settings_of("registry-gateway", "intake", "tracking")
        ),
        parts=registry_gateway.Parts(
            database=parts.database("registry_gateway"),
            registry=registry,
            mobiles=mobiles,
            redis=FakeAsyncRedis(max_connections=1000),
            captcha=registry_gateway.captcha_client(
                parts.service_keys.peer("registry-gateway", "captcha", captcha_app)
            ),
            vault=parts.vault,
            issuer=TokenIssuer(parts.keys.identity_private, "registry-gateway"),
            telemetry=Telemetry("registry-gateway"),
        ),
    )


def build_intake(
    parts: EmbeddedParts,
    captcha_app: FastAPI,
    registry_app: FastAPI,
    storage: FolderStore,
    provinces: Mapping[str, str],
) -> FastAPI:
    """Build intake on SQLite and a folder."""
    return intake.create_app(
        desk.intake.settings.Settings.model_validate(
            parts.settings_of(
                "intake",
                identity_public_key=parts.keys.identity_public,
                tracking_public_key=public_key_of(parts.keys.tracking_private),
                receipt_private_key=parts.keys.receipt_private,
                captcha_url="http://captcha",
                registry_url="http://registry-gateway",
                identity_check_seconds=IDENTITY_CHECK_SECONDS,
                # A demonstration has few people, who send many requests from one address.
                requests_per_identity=PLENTY,
                requests_per_mobile=PLENTY,
                requests_per_email=PLENTY,
                requests_per_source=PLENTY,
                pending_per_source=PLENTY,
                upload_megabytes_per_identity=PLENTY,
                upload_megabytes_per_source=PLENTY,
                budget_url="memory://",
                broker_url="memory://embedded",
                scanner_url="none",
                s3_endpoint="embedded",
                s3_access_key="embedded-access-key",
                s3_secret_key="embedded-secret-key",  # noqa: S106 - a folder needs none
            )
            | {"office_signing_keys": dict(provinces)}
            | parts.event_settings("intake")
            | parts.service_keys.settings_of("intake", "tracking")
        ),
        parts=intake.Parts(
            database=parts.database("intake"),
            broker=parts.brokers.of("intake"),
            storage=storage,
            scanner=NoScanner(),
            rate_limits=RateLimits("memory://"),
            captcha=desk.intake.clients.captcha_client(parts.service_keys.peer("intake", "captcha", captcha_app)),
            codes=desk.intake.clients.code_client(parts.service_keys.peer("intake", "captcha", captcha_app)),
            registry=desk.intake.clients.RegistryClient(
                parts.service_keys.peer("intake", "registry-gateway", registry_app)
            ),
            code_sender=desk.intake.counter_clients.CodeSender(
                parts.service_keys.peer("intake", "captcha", captcha_app)
            ),
            counter_registry=desk.intake.counter_clients.CounterRegistry(
                parts.service_keys.peer("intake", "registry-gateway", registry_app)
            ),
            identity=TokenReader(
                parts.keys.identity_public, issuer=intake.IDENTITY_ISSUER, audience=intake.IDENTITY_AUDIENCE
            ),
            vault=parts.vault,
            telemetry=Telemetry("intake"),
        ),
    )


def build_tracking(
    parts: EmbeddedParts,
    captcha_app: FastAPI,
    intake_app: FastAPI,
    registry_app: FastAPI,
    offices: Mapping[str, str],
) -> FastAPI:
    """Build tracking on SQLite."""
    captcha = parts.service_keys.peer("tracking", "captcha", captcha_app)
    return tracking.create_app(
        desk.tracking.settings.Settings.model_validate(
            parts.settings_of(
                "tracking",
                token_private_key=parts.keys.tracking_private,
                captcha_url="http://captcha",
                intake_url="http://intake",
                registry_url="http://registry-gateway",
                budget_url="memory://",
                broker_url="memory://embedded",
            )
            | {"office_signing_keys": dict(offices)}
            | parts.service_keys.settings_of("tracking")
            | parts.event_settings("tracking")
        ),
        parts=tracking.Parts(
            database=parts.database("tracking"),
            broker=parts.brokers.of("tracking"),
            rate_limits=RateLimits("memory://"),
            challenges=desk.tracking.challenges.Challenges.of(captcha),
            intake=desk.tracking.clients.IntakeClient(parts.service_keys.peer("tracking", "intake", intake_app)),
            registry=desk.tracking.clients.RegistryClient(
                parts.service_keys.peer("tracking", "registry-gateway", registry_app)
            ),
            tokens=TokenIssuer(parts.keys.tracking_private, tracking.TOKEN_ISSUER),
            vault=parts.vault,
            telemetry=Telemetry("tracking"),
        ),
    )


def build_notifier(parts: EmbeddedParts, offices: Mapping[str, str]) -> FastAPI:
    """Build notifier with channels that only store what they would send. ``offices`` are public keys."""
    return notifier.create_app(
        desk.notifier.settings.Settings.model_validate(
            parts.settings_of(
                "notifier",
                budget_url="memory://",
                public_url=parts.settings.public_url,
                broker_url="memory://embedded",
                smtp_host="embedded",
                mail_from="desk@example.com",
                sms="shown",
                quiet_from="00:00",  # a demonstration at night should not wait
                quiet_until="00:00",
                recipient_most="1000000",
                sms_daily_most="1000000",
            )
            | parts.service_keys.settings_of("notifier", "captcha")
            | parts.event_settings("notifier")
            | {"office_signing_keys": dict(offices)}
        ),
        parts=notifier.Parts(
            database=parts.database("notifier"),
            broker=parts.brokers.of("notifier"),
            rate_limits=RateLimits("memory://"),
            vault=parts.vault,
            telemetry=Telemetry("notifier"),
            channels=dict.fromkeys(ChannelName, ShownChannel()),
        ),
    )
