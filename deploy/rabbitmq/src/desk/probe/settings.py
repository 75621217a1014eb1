"""Settings of the command."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import DeskSettings, PrivateKey


class Settings(DeskSettings):
    """Read once, at the start of the command; every variable is prefixed ``DESK_PROBE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_PROBE_")

    url: Annotated[str, Field(pattern=r"^https?://[^/]+/?$")]
    """Address of the gateway, such as ``https://desk.example.ir``."""
    host: str = ""
    """The host name that the gateway expects, if it is not that of the address. Of several, by commas, the first."""
    private_key: PrivateKey
    """PEM of the Ed25519 key that signs the calls; intake and tracking have its public key."""
    seconds: Annotated[float, Field(gt=0, le=300)] = 30
    """How long a whole run may take. A submitted request that cannot be found within this time is a failure."""
