"""Configuration of the captcha service, read from ``DESK_CAPTCHA_…``; an answer can never be set here."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import LogSettings

_BUDGET = r"^[1-9]\d*/([1-9]\d* )?(second|minute|hour|day)s?$"


class Settings(LogSettings):
    """What an operator decides."""

    model_config = SettingsConfigDict(env_prefix="DESK_CAPTCHA_")

    redis_url: SecretStr
    """What ``redis_pool`` reads: ``redis://host:port/…`` or ``redis+sentinel://…``, 7.0 or newer."""
    redis_connections: int = Field(default=20, ge=1, le=500)
    issue_budget: str = Field(default="120/10 minutes", pattern=_BUDGET)
    """How many images and sounds one source may ask for; generous, since a whole town may share one address."""
    images_ready: int = Field(default=256, ge=1, le=10_000)
    """How many images all replicas together keep ready, about 6 KB of Redis each."""
    sounds_ready: int = Field(default=48, ge=1, le=1_000)
    """How many sounds all replicas together keep ready, about 60 KB of Redis each."""
    work_budget: str = Field(default="120/10 minutes", pattern=_BUDGET)
    """How many proofs of work one source may ask for; they grow harder long before that."""
    work_most: int = Field(default=1_600, ge=2, le=100_000)
    """How many counters a first proof of work may take; more is slower for everybody."""
