"""The settings of the captcha service, in environment variables ``DESK_CAPTCHA_…``. None of them sets an answer."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.rate_limits import RateLimitText
from desk.chassis.settings import CalleeSettings, CallerSettings, LogSettings, TraceSettings
from desk.security.secrets import SecretKind

_BUDGET = r"^[1-9]\d*/([1-9]\d* )?(second|minute|hour|day)s?$"


class Settings(CallerSettings, CalleeSettings, LogSettings, TraceSettings):
    """Settings of the captcha service."""

    model_config = SettingsConfigDict(env_prefix="DESK_CAPTCHA_")

    redis_url: SecretStr
    """``redis://host:port/…`` or ``redis+sentinel://…``; Redis 7.0 or newer."""
    redis_connections: int = Field(default=20, ge=1, le=500)
    issue_budget: str = Field(default="120/10 minutes", pattern=_BUDGET)
    """Limit of images and sounds for one source; high, because a whole town may share one address."""
    images_ready: int = Field(default=256, ge=1, le=10_000)
    """Size of the pool of images, which all replicas share; each takes about 6 KB of Redis."""
    sounds_ready: int = Field(default=48, ge=1, le=1_000)
    """Size of the pool of sounds, which all replicas share; each takes about 60 KB of Redis."""
    work_budget: str = Field(default="1200/10 minutes", pattern=_BUDGET)
    """Limit of proofs of work for one source, against floods only; services choose how much work they require."""
    work_most: int = Field(default=1_600, ge=2, le=100_000)
    """The highest counter of a proof of work of level 0; each level doubles it. Higher is slower for applicants."""
    notifier_url: str | None = None
    """Base URL of notifier, which sends codes by SMS; without it there are none."""
    index_key: Annotated[SecretStr, SecretKind.INDEX_KEY]
    """Base64 of the key for the hashes of sources and mobiles in Redis, 32 bytes or more."""
    codes_per_mobile: RateLimitText = "3/10 minutes"
    """Codes by SMS to one mobile."""
    codes_per_mobile_daily: RateLimitText = "10/day"
    """Codes by SMS to one mobile in a day."""
    codes_per_source: RateLimitText = "20/10 minutes"
    """Codes by SMS from one source; each further one needs a proof of work of a higher level."""
