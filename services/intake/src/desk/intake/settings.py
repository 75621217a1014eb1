"""What the environment decides for intake."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import LogSettings, StoreSettings


class Settings(StoreSettings, LogSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_INTAKE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_INTAKE_")

    identity_public_key: SecretStr
    """PEM of registry-gateway's public key, by which identity tokens are verified."""
    captcha_url: str
    """Base address of the captcha service."""
    budget_url: str
    """``memory://`` or ``redis://…``: where tries are counted."""
    uploads_per_identity: str = "40/hour"
    """How many files one identity may put up, as a `limits` string; some are removed again by the applicant."""
