"""What the environment decides for intake."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.budget import BudgetText
from desk.chassis.settings import BrokerSettings, LogSettings, ObjectSettings, StoreSettings


class Settings(StoreSettings, BrokerSettings, ObjectSettings, LogSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_INTAKE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_INTAKE_")

    identity_public_key: SecretStr
    """PEM of registry-gateway's public key, by which identity tokens are verified."""
    captcha_url: str
    """Base address of the captcha service."""
    budget_url: SecretStr
    """``memory://`` or ``redis://…``: where tries are counted."""
    uploads_per_identity: BudgetText = "40/hour"
    """How many files one identity may put up; some are removed again by the applicant."""
