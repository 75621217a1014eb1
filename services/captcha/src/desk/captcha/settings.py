"""The settings of the captcha service, in environment variables ``DESK_CAPTCHA_…``. None of them sets an answer."""

import base64
import binascii
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from desk.chassis.rate_limits import RateLimitText
from desk.chassis.settings import CalleeSettings, CallerSettings, LogSettings

_BUDGET = r"^[1-9]\d*/([1-9]\d* )?(second|minute|hour|day)s?$"

_KEY_BYTES = 32


def _check_key(key: SecretStr | None) -> SecretStr | None:
    try:
        usable = key is None or len(base64.b64decode(key.get_secret_value(), validate=True)) >= _KEY_BYTES
    except binascii.Error:
        usable = False
    if not usable:
        raise ValueError("no base64 of 32 bytes or more")
    return key


class Settings(CallerSettings, CalleeSettings, LogSettings):
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
    index_key: Annotated[SecretStr | None, AfterValidator(_check_key)] = None
    """Base64 of the key for the hashes of mobiles in Redis, 32 bytes or more; required with ``notifier_url``."""
    codes_per_mobile: RateLimitText = "3/10 minutes"
    """Codes by SMS to one mobile."""
    codes_per_mobile_daily: RateLimitText = "10/day"
    """Codes by SMS to one mobile in a day."""
    codes_per_source: RateLimitText = "20/10 minutes"
    """Codes by SMS from one source; each further one needs a proof of work of a higher level."""

    @model_validator(mode="after")
    def _require_index_key(self) -> Self:
        if self.notifier_url is not None and self.index_key is None:
            raise ValueError("notifier_url is set: set index_key too")
        return self
