"""The settings of the registry gateway, in environment variables ``DESK_REGISTRY_GATEWAY_…``."""

import re
from datetime import time
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from desk.chassis.rate_limits import RateLimitText
from desk.chassis.redis_pool import REDIS_SCHEMES
from desk.chassis.settings import CalleeSettings, CallerSettings, LogSettings, StoreSettings, TraceSettings
from desk.security.secrets import SecretKind

_ADDRESS = re.compile(r"https?://[^/:\s]+(:\d+)?(/\S*)?$")


class Settings(CallerSettings, CalleeSettings, StoreSettings, LogSettings, TraceSettings):
    """Settings of the registry gateway."""

    model_config = SettingsConfigDict(env_prefix="DESK_REGISTRY_GATEWAY_")

    adapter: Literal["soap", "rest", "simulator"]
    """The kind of registry. It has no default, so that a forgotten variable does not select the synthetic one."""
    registry_url: Annotated[str, Field(validate_default=True)] = ""
    """The address of ``getEstelam3`` at the bus; not needed for the simulator."""
    registry_user: str = ""
    registry_password: Annotated[SecretStr, SecretKind.ISSUED] = SecretStr("")
    """For HTTP Basic at the bus."""
    soap_action: str = "urn:mediate"
    legacy_user: str = ""
    legacy_password: Annotated[SecretStr, SecretKind.ISSUED] = SecretStr("")
    """For the SOAP body, if the account has them in addition to those of the bus."""

    opens_at: time = time(7)
    closes_at: time = time(23)
    """The registry's opening hours, Tehran time. If both are equal, it never closes."""
    daily_quota: Annotated[int, Field(gt=0)] | None = None
    """Look-ups that the registry allows in a day. Without it, only the registry itself reports the end of the quota."""
    answer_seconds: Annotated[float, Field(gt=0, le=4.5)] = 4.0
    """Time limit for an answer, including a second attempt. An applicant has a response within 6 s."""
    lookups_in_flight: Annotated[int, Field(gt=0)] = 20
    breaker_failures: Annotated[int, Field(gt=0)] = 5
    breaker_seconds: Annotated[float, Field(gt=0)] = 30.0
    """After so many failures in a row no call is made for so many seconds."""
    memory_seconds: Annotated[int, Field(ge=0)] = 900
    """How long a match stays in the cache, encrypted, in Redis."""

    mobile_check: Literal["off", "shahkar", "simulator"] = "off"
    """The register that checks whether a mobile belongs to a national ID."""
    mobile_url: Annotated[str, Field(validate_default=True)] = ""
    mobile_user: str = ""
    mobile_password: Annotated[SecretStr, SecretKind.ISSUED] = SecretStr("")

    captcha_url: str
    """Base URL of the captcha service, which checks proofs of work."""
    require_proof: bool = True
    """Whether every look-up requires a proof of work, not only those beyond the limits of a source."""
    budget_url: SecretStr
    """``redis://…``, for the counters, the daily quota and the cache of matches."""
    token_private_key: SecretStr
    """Ed25519 key that signs identity tokens, as PEM."""
    token_seconds: Annotated[int, Field(gt=0)] = 1800
    """How long an identity token is valid."""
    mismatches_per_source: RateLimitText = "5/10 minutes"
    """Look-ups without a match of a source (IPv4 address, IPv6 /56); further look-ups need a harder proof of work."""
    mismatches_per_number: RateLimitText = "10/day"
    """Look-ups of a number without a match, immediate or later. Beyond it, they are pending until the next day."""
    lookups_per_source: RateLimitText = "300/hour"
    """High, because a whole town may share one address; beyond it as for mismatches."""
    lookups_of_service: RateLimitText = "30000/hour"
    """All look-ups of all applicants; the only limit of look-ups that refuses."""
    lookups_per_office: RateLimitText = "600/hour"
    """Look-ups of one office for persons at its counter or on the telephone; further ones are refused."""
    mismatches_per_office: RateLimitText = "60/hour"
    """Such look-ups without a match; further ones are refused."""
    fan_out: RateLimitText = "50/hour"
    """So many different numbers from one source raise an alarm."""

    ledger_days: Annotated[int, Field(ge=1, le=36_500)] = 1095
    """For how many days look-ups stay in the ledger."""

    @field_validator("registry_url")
    @classmethod
    def _require_registry_url(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("adapter") in {"soap", "rest"} and not _ADDRESS.match(url):
            raise ValueError("say where the registry's bus is, for example https://bus.example.ir/estelam3")
        return url

    @field_validator("mobile_url")
    @classmethod
    def _require_mobile_url(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("mobile_check") == "shahkar" and not _ADDRESS.match(url):
            raise ValueError("say where Shahkar's bus is, for example https://bus.example.ir/shahkar")
        return url

    @field_validator("budget_url")
    @classmethod
    def _require_redis(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(REDIS_SCHEMES):
            raise ValueError("name a Redis server: redis://…")
        return url
