"""What the registry gateway reads from its environment, as ``DESK_REGISTRY_GATEWAY_…``."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.budget import BudgetText
from desk.chassis.settings import LogSettings, StoreSettings


class Settings(StoreSettings, LogSettings):
    """Settings of the registry gateway."""

    model_config = SettingsConfigDict(env_prefix="DESK_REGISTRY_GATEWAY_")

    adapter: Literal["simulator"]
    """Which registry answers; no default, so that nobody meets synthetic people because a variable was forgotten."""
    budget_url: SecretStr
    """Where the counters are kept: ``memory://`` or ``redis://…``."""
    token_private_key: SecretStr
    """Ed25519 key that signs identity tokens, as PEM."""
    token_seconds: Annotated[int, Field(gt=0)] = 1800
    """How long an identity token is good."""
    mismatches_per_source: BudgetText = "5/10 minutes"
    """Look-ups without a match after which a source no longer reaches the registry."""
    mismatches_per_number: BudgetText = "10/hour"
    """Wrong birth dates for a number, whoever tries them."""
    lookups_per_source: BudgetText = "300/hour"
    """Generous, since a whole town may share one address: a sweep shows in its mismatches."""
    lookups_per_number: BudgetText = "60/hour"
