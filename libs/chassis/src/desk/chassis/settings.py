"""Configuration every service reads from its environment; each adds its own in its ``settings.py``."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class QuietSettings(BaseSettings):
    """Base of all settings: what is wrong with one is told without its value, which may be a secret."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)


class StoreSettings(QuietSettings):
    """Settings of a service with a database, events and personal data."""

    database_url: SecretStr
    """``postgresql+asyncpg://…`` or ``sqlite+aiosqlite://…``."""
    vault_keys: SecretStr
    """Encryption keys as ``id:base64,id:base64``, the current one first, 32 bytes each."""
    index_key: SecretStr
    """Base64 of the key for blind indexes, 32 bytes or more."""


class LogSettings(QuietSettings):
    """How a service logs."""

    log_style: Literal["json", "console"] = "json"
    log_level: str = "INFO"


class BrokerSettings(QuietSettings):
    """Settings of a service that announces or hears events."""

    broker_url: SecretStr
    """``amqp://user:password@host:port/vhost`` or ``amqps://…``."""


class ObjectSettings(QuietSettings):
    """Settings of a service that keeps files on an S3 server."""

    s3_endpoint: str
    """``host:port``."""
    s3_access_key: SecretStr
    s3_secret_key: SecretStr
    s3_bucket: str = Field(default="attachments", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    s3_region: str = "us-east-1"
    s3_secure: bool = True
    """Whether the server is spoken to over TLS."""
    s3_path_style: bool = True
    """Whether the bucket stands in the path; False for servers that want it in the host name."""
    s3_public_endpoint: str | None = None
    """Where links for provinces lead, if the server has another name outside."""
