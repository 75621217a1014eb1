"""The settings of the registry simulator, in environment variables ``DESK_REGISTRY_SIMULATOR_…``."""

from typing import Annotated

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import LogSettings
from desk.registry_simulator.knobs import Knobs
from desk.security.secrets import SecretKind


class Settings(LogSettings):
    """Settings of the simulator."""

    model_config = SettingsConfigDict(env_prefix="DESK_REGISTRY_SIMULATOR_", env_nested_delimiter="__")

    user: str = "desk"
    password: Annotated[SecretStr, SecretKind.ISSUED]
    """For HTTP Basic, as at the real bus."""
    control: bool = False
    """Whether ``/control`` exists; it needs no password."""
    knobs: Knobs = Knobs()
    """The knobs at the start, such as ``DESK_REGISTRY_SIMULATOR_KNOBS__DELAY_SECONDS=2``."""
