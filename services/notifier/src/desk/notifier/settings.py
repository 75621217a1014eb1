"""What the environment decides for notifier."""

from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import LogSettings, StoreSettings


class Settings(StoreSettings, LogSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_NOTIFIER_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_NOTIFIER_")

    public_url: str
    """Address of the desk's home page, for the link in emails; an SMS never has one."""
