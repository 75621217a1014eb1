"""What the registry gateway reads from its environment, as ``DESK_REGISTRY_GATEWAY_…``."""

import re
from datetime import time
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from desk.chassis.rate_limits import RateLimitText
from desk.chassis.redis_pool import REDIS_SCHEMES
from desk.chassis.settings import LogSettings, StoreSettings

_ADDRESS = re.compile(r"https?://[^/:\s]+(:\d+)?(/\S*)?$")


class Settings(StoreSettings, LogSettings):
    """Settings of the registry gateway."""

    model_config = SettingsConfigDict(env_prefix="DESK_REGISTRY_GATEWAY_")

    adapter: Literal["soap", "rest", "simulator"]
    """Which registry answers; no default, so that nobody meets synthetic people because a variable was forgotten."""
    registry_url: Annotated[str, Field(validate_default=True)] = ""
    """Where the bus takes ``getEstelam3``; only the simulator needs none."""
    registry_user: str = ""
    registry_password: SecretStr = SecretStr("")
    """HTTP Basic at the bus."""
    soap_action: str = "urn:mediate"
    legacy_user: str = ""
    legacy_password: SecretStr = SecretStr("")
    """Inside the SOAP call, for accounts that have them beside those of the bus."""

    opens_at: time = time(7)
    closes_at: time = time(23)
    """The registry's hours, Tehran time; equal times mean that it never closes."""
    daily_quota: Annotated[int, Field(gt=0)] | None = None
    """Look-ups the registry allows us in a day; without it, it is the registry that says when they are used up."""
    answer_seconds: Annotated[float, Field(gt=0, le=4.5)] = 4.0
    """How long an answer is waited for, both tries together; an applicant has one within 6 s."""
    lookups_in_flight: Annotated[int, Field(gt=0)] = 20
    breaker_failures: Annotated[int, Field(gt=0)] = 5
    breaker_seconds: Annotated[float, Field(gt=0)] = 30.0
    """After so many failures in a row the registry is left alone for so long."""
    memory_seconds: Annotated[int, Field(ge=0)] = 900
    """How long a match is remembered, sealed, in Redis."""

    mobile_check: Literal["off", "shahkar", "simulator"] = "off"
    """Who is asked whether a mobile belongs to a national ID."""
    mobile_url: Annotated[str, Field(validate_default=True)] = ""
    mobile_user: str = ""
    mobile_password: SecretStr = SecretStr("")

    captcha_url: str
    """The captcha service, which checks proofs of work."""
    require_proof: bool = True
    """Whether a look-up wants a proof of work; without it sweeps are cheap."""
    budget_url: SecretStr
    """``redis://…``: counts tries and the day's quota, remembers matches."""
    token_private_key: SecretStr
    """Ed25519 key that signs identity tokens, as PEM."""
    token_seconds: Annotated[int, Field(gt=0)] = 1800
    """How long an identity token is good."""
    mismatches_per_source: RateLimitText = "5/10 minutes"
    """Look-ups without a match after which a source (IPv4 /24, IPv6 /56) no longer reaches the registry."""
    mismatches_per_number: RateLimitText = "10/hour"
    """Wrong birth dates for a number, whoever tries them."""
    lookups_per_source: RateLimitText = "300/hour"
    """Generous, since a whole town may share one address: a sweep shows in its mismatches."""
    lookups_per_number: RateLimitText = "60/hour"
    lookups_of_service: RateLimitText = "30000/hour"
    """All look-ups of all applicants together."""
    fan_out: RateLimitText = "50/hour"
    """So many different numbers from one source are told to the operators."""

    @field_validator("registry_url")
    @classmethod
    def _demand_registry(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("adapter") in {"soap", "rest"} and not _ADDRESS.match(url):
            raise ValueError("say where the registry's bus is, for example https://bus.example.ir/estelam3")
        return url

    @field_validator("mobile_url")
    @classmethod
    def _demand_mobiles(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("mobile_check") == "shahkar" and not _ADDRESS.match(url):
            raise ValueError("say where Shahkar's bus is, for example https://bus.example.ir/shahkar")
        return url

    @field_validator("budget_url")
    @classmethod
    def _demand_redis(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(REDIS_SCHEMES):
            raise ValueError("name a Redis server: redis://…")
        return url
