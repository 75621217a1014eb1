"""What the registry simulator reads from its environment, as ``DESK_REGISTRY_SIMULATOR_…``."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import LogSettings
from desk.registry_simulator.knobs import Knobs


class Settings(LogSettings):
    """Settings of the simulator."""

    model_config = SettingsConfigDict(env_prefix="DESK_REGISTRY_SIMULATOR_", env_nested_delimiter="__")

    user: str = "desk"
    password: SecretStr
    """HTTP Basic, which the real bus wants too."""
    control: bool = False
    """Whether ``/control`` is there: whoever reaches it decides how the registry behaves."""
    knobs: Knobs = Knobs()
    """How it behaves from the start, such as ``DESK_REGISTRY_SIMULATOR_KNOBS__DELAY_SECONDS=2``."""
