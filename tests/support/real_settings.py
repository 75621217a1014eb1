"""Settings of the services of the real desk: as in production, except for hours, rate limits and trusted keys."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from support.real_service import setting

from desk.chassis.crypto import new_key_pair, new_secret
from desk.iran.offices import OFFICES
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.s3 import S3Server
from desk.testing.service_keys import key_pair, public_keys

PLENTY = "1000000/minute"
WITHOUT_LIMITS = {
    "captcha": dict.fromkeys(
        ("ISSUE_BUDGET", "WORK_BUDGET", "CODES_PER_MOBILE", "CODES_PER_MOBILE_DAILY", "CODES_PER_SOURCE"), PLENTY
    ),
    "registry-gateway": dict.fromkeys(("MISMATCHES_PER_SOURCE", "LOOKUPS_PER_SOURCE", "LOOKUPS_OF_SERVICE"), PLENTY),
    "intake": dict.fromkeys(
        (
            "UPLOADS_PER_IDENTITY",
            "REQUESTS_PER_IDENTITY",
            "REQUESTS_PER_MOBILE",
            "REQUESTS_PER_EMAIL",
            "REQUESTS_PER_SOURCE",
            "PENDING_PER_SOURCE",
            "UPLOAD_MEGABYTES_PER_IDENTITY",
            "UPLOAD_MEGABYTES_PER_SOURCE",
        ),
        PLENTY,
    ),
    "tracking": dict.fromkeys(("MISSES_PER_SOURCE", "MISSES_PER_PERSON", "LOOKUPS_PER_SOURCE"), PLENTY)
    | {"REPORTS_PER_SECOND": "10000"},
    "notifier": {"RECIPIENT_MOST": "1000000", "SMS_DAILY_MOST": "1000000"},
}
"""Most tests send many requests of few people from one address. The tests of attacks use the limits of production."""


@dataclass(frozen=True, slots=True)
class DeskEnvironment:
    """Addresses and keys of what the services use. ``urls`` are of services; ``office_signing_keys`` are public."""

    urls: Mapping[str, str]
    databases: Mapping[str, str]
    redis_url: str
    broker_url: Callable[[str], str]
    s3: S3Server
    bucket: str
    mail_port: int
    scanner_url: str
    registry_password: str
    office_signing_keys: Mapping[str, str]


RECEIVERS = ("intake", "tracking", "notifier", *(each.key for each in OFFICES))
CALLERS = {
    "captcha": ("registry-gateway", "intake", "tracking"),
    "registry-gateway": ("intake", "tracking"),
    "intake": ("tracking",),
    "notifier": ("captcha",),
}
"""The services that call the internal routes of each service."""


def settings_of(it: DeskEnvironment, *, production_limits: bool = False) -> dict[str, dict[str, str]]:
    """Return the environment variables of each service; ``production_limits`` keeps the defaults of all rate limits."""
    identity_private, identity_public = new_key_pair()
    tracking_private, tracking_public = new_key_pair()
    each = {name: _store_settings(it.databases[name]) for name in it.databases} | {"captcha": {}}
    for name in ("registry-gateway", "intake", "tracking", "captcha"):
        each[name]["SERVICE_PRIVATE_KEY"] = key_pair(name)[0]
    for name, callers in CALLERS.items():
        each[name]["SERVICE_PUBLIC_KEYS"] = json.dumps(public_keys(*callers))
    for name in ("intake", "tracking", "notifier"):
        each[name]["EVENT_PRIVATE_KEYS"] = json.dumps([event_key_pair(name)[0]])
    for name in ("intake", "tracking", "notifier"):
        each[name]["EVENT_PUBLIC_KEYS"] = json.dumps(event_public_keys(*RECEIVERS))
    for name in ("intake", "tracking"):
        each[name]["PROBE_PUBLIC_KEY"] = key_pair("probe")[1]
    rate_limits = {"BUDGET_URL": it.redis_url}
    peers = {"CAPTCHA_URL": it.urls["captcha"]}
    asking = peers | {"REGISTRY_URL": it.urls["registry-gateway"]}
    each["captcha"] |= {"REDIS_URL": it.redis_url, "WORK_MOST": "10"}
    each["captcha"] |= {"NOTIFIER_URL": it.urls["notifier"], "INDEX_KEY": new_secret()}
    each["registry-simulator"] = {"PASSWORD": it.registry_password, "CONTROL": "true"}
    each["registry-gateway"] |= (
        rate_limits
        | peers
        | _registry_settings(it)
        | {
            "TOKEN_PRIVATE_KEY": identity_private,
        }
    )
    each["intake"] |= (
        rate_limits
        | asking
        | {
            "BROKER_URL": it.broker_url("intake"),
            "IDENTITY_PUBLIC_KEY": identity_public,
            "TRACKING_PUBLIC_KEY": tracking_public,
            "RECEIPT_PRIVATE_KEY": new_key_pair()[0],
            "OFFICE_SIGNING_KEYS": json.dumps(it.office_signing_keys),
            "IDENTITY_CHECK_SECONDS": "1",
            "SCANNER_URL": it.scanner_url,
            "S3_ENDPOINT": it.s3.endpoint,
            "S3_ACCESS_KEY": it.s3.access_key,
            "S3_SECRET_KEY": it.s3.secret_key,
            "S3_BUCKET": it.bucket,
            "S3_REGION": it.s3.region,
            "S3_SECURE": str(it.s3.secure).lower(),
        }
    )
    each["tracking"] |= (
        rate_limits
        | asking
        | {
            "BROKER_URL": it.broker_url("tracking"),
            "TOKEN_PRIVATE_KEY": tracking_private,
            "OFFICE_SIGNING_KEYS": json.dumps(it.office_signing_keys),
            "INTAKE_URL": it.urls["intake"],
        }
    )
    each["notifier"] |= rate_limits | {
        "OFFICE_SIGNING_KEYS": json.dumps(it.office_signing_keys),
        "BROKER_URL": it.broker_url("notifier"),
        "PUBLIC_URL": "https://desk.example.ir/",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(it.mail_port),
        "SMTP_TLS": "none",
        "MAIL_FROM": "desk@example.ir",
        "SMS": "shown",
        "QUIET_FROM": "00:00",  # tests run at any time of day
        "QUIET_UNTIL": "00:00",
    }
    if not production_limits:
        for name, limits in WITHOUT_LIMITS.items():
            each[name] |= limits
    return {name: {setting(name, word): value for word, value in settings.items()} for name, settings in each.items()}


def _registry_settings(it: DeskEnvironment) -> dict[str, str]:
    return {
        "ADAPTER": "soap",
        "REGISTRY_URL": f"{it.urls['registry-simulator']}/soap",
        "REGISTRY_USER": "desk",
        "REGISTRY_PASSWORD": it.registry_password,
        "OPENS_AT": "00:00",  # tests run at any time of day
        "CLOSES_AT": "00:00",
    }


def _store_settings(database: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database,
        "VAULT_KEYS": f"k1:{new_secret()}",
        "INDEX_KEY": new_secret(),
    }
