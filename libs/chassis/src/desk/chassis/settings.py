"""Configuration every service reads from its environment; each adds its own in its ``settings.py``."""

from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings


class StoreSettings(BaseSettings):
    """Settings of a service with a database, events and personal data."""

    database_url: SecretStr
    """``postgresql+asyncpg://…`` or ``sqlite+aiosqlite://…``."""
    vault_keys: SecretStr
    """Encryption keys as ``id:base64,id:base64``, the current one first, 32 bytes each."""
    index_key: SecretStr
    """Base64 of the key for blind indexes, 32 bytes or more."""


class LogSettings(BaseSettings):
    """How a service logs."""

    log_style: Literal["json", "console"] = "json"
    log_level: str = "INFO"
