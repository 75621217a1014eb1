"""Configuration of the captcha service, read from ``DESK_CAPTCHA_…``; an answer can never be set here."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import LogSettings


class Settings(LogSettings):
    """What an operator decides."""

    model_config = SettingsConfigDict(env_prefix="DESK_CAPTCHA_")

    redis_url: SecretStr
    """``redis://host:port/…`` or ``rediss://…`` (the port must be said), 7.0 or newer; holds the open challenges."""
    redis_connections: int = Field(default=20, ge=1, le=500)
    budget_url: SecretStr | None = None
    """Where budgets are counted: ``redis://…``, or ``memory://`` for a single process; the same Redis if not given."""
    issue_budget: str = Field(default="120/10 minutes", pattern=r"^[1-9]\d*/([1-9]\d* )?(second|minute|hour|day)s?$")
    """How many challenges one source may ask for; generous, since a whole town may share one address."""
    pictures_ready: int = Field(default=32, ge=1, le=1000)
    """How many pictures are drawn ahead of need, about 6 KB each."""
