"""What the environment decides for intake."""

from typing import Annotated

from limits import parse
from pydantic import AfterValidator, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import LogSettings, StoreSettings


def _readable(budget: str) -> str:
    """Refuse at the start what the counters could not read at the first request."""
    parse(budget)
    return budget


class Settings(StoreSettings, LogSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_INTAKE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_INTAKE_")

    identity_public_key: SecretStr
    """PEM of registry-gateway's public key, by which identity tokens are verified."""
    captcha_url: str
    """Base address of the captcha service."""
    budget_url: str
    """``memory://`` or ``redis://…``: where tries are counted."""
    uploads_per_identity: Annotated[str, AfterValidator(_readable)] = "40/hour"
    """How many files one identity may put up, as a `limits` string; some are removed again by the applicant."""
