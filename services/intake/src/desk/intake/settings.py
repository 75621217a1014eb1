"""Intake's settings."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.crypto import is_public_key
from desk.chassis.rate_limits import RateLimitText
from desk.chassis.settings import (
    AuditSettings,
    CalleeSettings,
    CallerSettings,
    ClientSettings,
    ConsumerSettings,
    LogSettings,
    ObjectSettings,
    PrivateKey,
    ProbedSettings,
    PublisherSettings,
    StoreSettings,
    TraceSettings,
)
from desk.intake.domain import MobileProofMode
from desk.iran.offices import OFFICE_KEYS
from desk.iran.settings import WorkCalendarSettings


def _check_public_keys(keys: list[str]) -> list[str]:
    if unfit := [place for place, pem in enumerate(keys, 1) if not is_public_key(pem)]:
        raise ValueError(f"no Ed25519 public key (PEM) at place {', '.join(map(str, unfit))}")
    return keys


class Settings(
    CallerSettings,
    CalleeSettings,
    ClientSettings,
    ProbedSettings,
    WorkCalendarSettings,
    AuditSettings,
    StoreSettings,
    PublisherSettings,
    ConsumerSettings,
    ObjectSettings,
    LogSettings,
    TraceSettings,
):
    """Read once, in ``create_app``; every name has the prefix ``DESK_INTAKE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_INTAKE_")
    receivers: ClassVar[frozenset[str]] = frozenset({"tracking", "notifier", *OFFICE_KEYS})
    clients: ClassVar[frozenset[str]] = OFFICE_KEYS

    identity_public_key: SecretStr
    """PEM of registry-gateway's public key, which verifies identity tokens."""
    tracking_public_key: SecretStr
    """PEM of tracking's public key, which verifies tracking tokens."""
    receipt_private_key: PrivateKey
    """PEM of the Ed25519 key that signs receipts."""
    receipt_public_keys: Annotated[list[str], AfterValidator(_check_public_keys)] = Field(default_factory=list)
    """PEMs of further public keys that verify receipts: all former ones, and the next one."""
    captcha_url: str
    """Base URL of the captcha service."""
    registry_url: str
    """Base URL of registry-gateway, which looks up pending identities."""
    identity_check_seconds: Annotated[float, Field(gt=0, le=3600)] = 60
    """Seconds from a submission to the first look-up of its pending identity; each further wait is twice as long."""
    scanner_url: Annotated[str, Field(pattern=r"^(tcp://[^/]+:[0-9]+|unix:///.+|none)$")]
    """The malware scanner, ClamAV's daemon: ``tcp://host:3310`` or ``unix:///run/clamav/clamd.ctl``. With ``none``, for
    demonstrations, the structural checks are all."""
    budget_url: SecretStr
    """``memory://`` or ``redis://…``: where rate limits are counted."""
    mobile_proof: MobileProofMode = "pending"
    """Who must enter a code that was sent to the mobile: ``off`` no applicant, ``pending`` applicants whose identity is
    not confirmed, ``always`` also all others with an Iranian mobile. captcha must issue codes by SMS."""
    mobile_check: Literal["off", "on"] = "off"
    """Whether a submission checks the owner of its mobile; registry-gateway must have a register of mobiles."""
    mobile_checks_per_identity: RateLimitText = "10/hour"
    """The rate limit of these checks for one identity."""
    requests_per_identity: RateLimitText = "5/day"
    """Submissions of one identity; those of an unconfirmed identity are counted apart."""
    requests_per_mobile: RateLimitText = "5/day"
    """Submissions that send an SMS to the same mobile."""
    requests_per_email: RateLimitText = "10/day"
    """Submissions that send an email to the same address."""
    requests_per_source: RateLimitText = "120/hour"
    """Submissions from one source, an IPv4 address or an IPv6 /56, which many people may share."""
    pending_per_source: RateLimitText = "20/hour"
    """Submissions of unconfirmed identities from one source."""
    requests_per_office: RateLimitText = "600/hour"
    """Requests that one office registers for applicants, at its counter or on the telephone."""
    counter_codes_per_office: RateLimitText = "600/hour"
    """Codes by SMS that one office has sent for such requests."""
    upload_megabytes_per_identity: RateLimitText = "200/day"
    """MiB of files of one identity, including files that the applicant removes again."""
    upload_megabytes_per_source: RateLimitText = "2000/hour"
    """MiB of files from one source."""
    uploads_per_identity: RateLimitText = "40/hour"
    """The rate limit of uploads for one identity, including files that the applicant removes again."""
