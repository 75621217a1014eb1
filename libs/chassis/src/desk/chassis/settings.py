"""Settings that services share, read from the environment and from a folder of secrets."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from desk.chassis.crypto import is_private_key, is_public_key

SECRETS_DIR = "DESK_SECRETS_DIR"
"""Names a folder with one file per setting, e.g. ``DESK_INTAKE_INDEX_KEY``, as Kubernetes and Docker mount secrets."""


class DeskSettings(BaseSettings):
    """Base of all settings. Error messages never contain a setting's value, which may be a secret.

    A setting comes from the environment, or else from the file of its name in the folder ``DESK_SECRETS_DIR``.
    Raises SettingsError if that folder, or a file in it, cannot be read.
    """

    model_config = SettingsConfigDict(hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced: its folder is fixed at import
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order of precedence."""
        folder = os.environ.get(SECRETS_DIR)
        return (init_settings, env_settings, *([_SecretFiles(settings_cls, folder)] if folder else []))


class _SecretFiles(SecretsSettingsSource):
    """Files of secrets. A missing folder is an error: otherwise a service would start without its password."""

    def __call__(self) -> dict[str, Any]:
        folder = Path(str(self.secrets_dir))
        try:
            if not folder.is_dir():
                raise NotADirectoryError(str(folder))
            return super().__call__()
        except SettingsError as error:  # names the setting, never its value
            raise SettingsError(f"{SECRETS_DIR}: cannot read the secrets in {folder}: {error}") from None
        except OSError as error:
            raise SettingsError(f"{SECRETS_DIR}: cannot read the secrets in {folder}: {type(error).__name__}") from None


def _require_private_key(key: SecretStr) -> SecretStr:
    if not is_private_key(key.get_secret_value()):
        raise ValueError("no Ed25519 private key (PEM)")
    return key


def _require_public_keys(keys: dict[str, str]) -> dict[str, str]:
    if unfit := sorted(name for name, pem in keys.items() if not is_public_key(pem)):
        raise ValueError(f"no Ed25519 public key (PEM): {', '.join(unfit)}")
    return keys


PrivateKey = Annotated[SecretStr, AfterValidator(_require_private_key)]
"""A PEM of an Ed25519 private key."""
PublicKeys = Annotated[dict[str, str], AfterValidator(_require_public_keys)]
"""PEMs of Ed25519 public keys, each under its owner's name; in the environment a JSON object."""


class CallerSettings(DeskSettings):
    """Settings of a service that calls internal routes of other services."""

    service_private_key: PrivateKey
    """PEM of the Ed25519 key that signs this service's tokens."""


class CalleeSettings(DeskSettings):
    """Settings of a service with internal routes."""

    service_public_keys: PublicKeys
    """PEM of the public key of each service that calls this one, by the caller's name, as JSON."""


class StoreSettings(DeskSettings):
    """Settings of a service with a database, events and personal data."""

    database_url: SecretStr
    """``postgresql+asyncpg://…`` or ``sqlite+aiosqlite://…``."""
    vault_keys: SecretStr
    """Encryption keys as ``id:base64,id:base64``, the current one first, 32 bytes each."""
    index_key: SecretStr
    """Base64 of the key for blind indexes, 32 bytes or more."""


class LogSettings(DeskSettings):
    """How a service logs."""

    log_style: Literal["json", "console"] = "json"
    log_level: str = "INFO"


class BrokerSettings(DeskSettings):
    """Settings of a service that publishes or consumes events."""

    broker_url: SecretStr
    """``amqp://user:password@host:port/vhost`` or ``amqps://…``."""


class ObjectSettings(DeskSettings):
    """Settings of a service that stores files on an S3 server."""

    s3_endpoint: str
    """``host:port``."""
    s3_access_key: SecretStr
    s3_secret_key: SecretStr
    s3_bucket: str = Field(default="attachments", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    s3_region: str = "us-east-1"
    s3_secure: bool = True
    """Whether to connect with TLS."""
    s3_path_style: bool = True
    """Whether the bucket is part of the path; False for servers that expect it in the host name."""
    s3_public_endpoint: Annotated[str, Field(pattern=r"^(https?://)?[A-Za-z0-9.\[\]:-]+$")] | None = None
    """Address in links, if it differs from ``s3_endpoint``, for example ``https://desk.example.ir``."""
