"""Settings that services share."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator

from desk.chassis.crypto import Vault, is_private_key, is_public_key, split_pems
from desk.chassis.event_encryption import CURVE, KEYS_OF_RECEIVER_MAX, import_event_key
from desk.security.secrets import SecretKind
from desk.security.settings import SECRETS_DIR, DeskSettings

__all__ = [
    "SECRETS_DIR",
    "AuditSettings",
    "BrokerSettings",
    "CalleeSettings",
    "CallerSettings",
    "ClientSettings",
    "ConsumerSettings",
    "DeskSettings",
    "LogSettings",
    "ObjectSettings",
    "PrivateKey",
    "ProbedSettings",
    "PublicKeys",
    "PublisherSettings",
    "StoreSettings",
    "TraceSettings",
]


def _require_private_key(key: SecretStr) -> SecretStr:
    if not is_private_key(key.get_secret_value()):
        raise ValueError("no Ed25519 private key (PEM)")
    return key


def _require_public_keys(keys: dict[str, str]) -> dict[str, str]:
    pems = {name: split_pems(text) for name, text in keys.items()}
    if unfit := sorted(name for name, found in pems.items() if not found or not all(map(is_public_key, found))):
        raise ValueError(f"no Ed25519 public key (PEM): {', '.join(unfit)}")
    return keys


PrivateKey = Annotated[SecretStr, AfterValidator(_require_private_key)]
"""A PEM of an Ed25519 private key."""
PublicKeys = Annotated[dict[str, str], AfterValidator(_require_public_keys)]
"""PEMs of Ed25519 public keys, one or more under each owner's name; in the environment a JSON object."""


def _require_event_private_keys(keys: list[SecretStr]) -> list[SecretStr]:
    if not keys:
        raise ValueError("needs at least one key")
    if unfit := [place for place, key in enumerate(keys, 1) if not _is_event_key(key.get_secret_value(), private=True)]:
        raise ValueError(f"no X25519 private key (PEM) at place {', '.join(map(str, unfit))}")
    return keys


def _require_event_public_keys(keys: dict[str, str]) -> dict[str, str]:
    pems = {name: split_pems(text) for name, text in keys.items()}
    if unfit := sorted(name for name, found in pems.items() if not found or not all(map(_is_event_key, found))):
        raise ValueError(f"no X25519 or P-256 public key (PEM): {', '.join(unfit)}")
    if many := sorted(name for name, found in pems.items() if len(found) > KEYS_OF_RECEIVER_MAX):
        raise ValueError(f"more than {KEYS_OF_RECEIVER_MAX} public keys, remove former ones: {', '.join(many)}")
    return keys


def _is_event_key(pem: str, *, private: bool = False) -> bool:
    try:
        key = import_event_key(pem)
    except ValueError:
        return False
    return key.is_private == private and (not private or key.curve_name == CURVE)


class CallerSettings(DeskSettings):
    """Settings of a service that calls internal routes of other services."""

    service_private_key: PrivateKey
    """PEM of the Ed25519 key that signs this service's tokens."""


class CalleeSettings(DeskSettings):
    """Settings of a service with internal routes."""

    service_public_keys: PublicKeys
    """PEM of the public key of each service that calls this one, by the caller's name, as JSON."""


class ClientSettings(DeskSettings):
    """Settings of a service with routes for clients that sign their calls, such as offices."""

    clients: ClassVar[frozenset[str]]
    """The clients that may have a key."""
    office_signing_keys: dict[str, str] = Field(default_factory=dict)
    """PEM of each office's Ed25519 public key, by the office's key: a province's or ``headquarters``. The calls of an
    office without one are refused."""

    @field_validator("office_signing_keys")
    @classmethod
    def _require_known_clients(cls, keys: dict[str, str]) -> dict[str, str]:
        if unknown := keys.keys() - cls.clients:
            raise ValueError(f"unknown offices: {', '.join(sorted(unknown))}")
        if unfit := sorted(name for name, pem in keys.items() if not is_public_key(pem)):
            raise ValueError(f"no Ed25519 public key (PEM): {', '.join(unfit)}")
        return keys


class ProbedSettings(DeskSettings):
    """Settings of a service that ``desk-probe`` tests."""

    probe_public_key: str | None = None
    """PEM of the Ed25519 public key of ``desk-probe``, whose synthetic requests are accepted; None if there is none."""

    @field_validator("probe_public_key")
    @classmethod
    def _require_public_key(cls, key: str | None) -> str | None:
        if key is not None and not is_public_key(key):
            raise ValueError("no Ed25519 public key (PEM)")
        return key

    @property
    def probe_keys(self) -> dict[str, str]:
        """The key by the name of its owner, for the check of assertions; empty if there is no probe."""
        return {"probe": self.probe_public_key} if self.probe_public_key else {}


class StoreSettings(DeskSettings):
    """Settings of a service with a database, events and personal data."""

    database_url: SecretStr
    """``postgresql+asyncpg://…`` or ``sqlite+aiosqlite://…``."""
    owner_database_url: SecretStr | None = None
    """The same database with the role that owns its tables, for ``migrate`` alone. Then the role of ``database_url``
    may read and write rows only. None: one role does both."""
    vault_keys: Annotated[SecretStr, SecretKind.KEYS]
    """Encryption keys as ``id:base64,id:base64``, the current one first, 32 bytes each."""
    index_key: Annotated[SecretStr, SecretKind.INDEX_KEY]
    """Keys for blind indexes in base64, by commas, the current one first, all of them search. A key has 32 bytes or
    more, and is another one than those of the vault."""

    def vault(self) -> Vault:
        """Return the vault with these keys."""
        return Vault.from_text(self.vault_keys.get_secret_value(), self.index_key.get_secret_value())


class AuditSettings(DeskSettings):
    """Settings of a service with an audit log."""

    audit_days: Annotated[int, Field(ge=1, le=36_500)] = 1095
    """For how many days entries of the audit log are kept."""


class LogSettings(DeskSettings):
    """How a service logs."""

    log_style: Literal["json", "console"] = "json"
    log_level: str = "INFO"


class TraceSettings(DeskSettings):
    """Where a service sends its traces."""

    traces_url: Annotated[str, Field(pattern=r"^https?://[^/\s?#@]+/[^\s?#]*$")] | None = None
    """Address of an OpenTelemetry collector for traces by OTLP over HTTP, such as ``http://collector:4318/v1/traces``.
    Without it nothing is traced."""
    traces_sample: Annotated[float, Field(ge=0, le=1)] = 0.05
    """The part of traces that is sent, 0 to 1. Give all services the same one; otherwise traces have gaps."""


class BrokerSettings(DeskSettings):
    """Settings of a service that publishes or consumes events."""

    broker_url: SecretStr
    """``amqp://user:password@host:port/vhost`` or ``amqps://…``."""


class PublisherSettings(BrokerSettings):
    """Settings of a service that publishes events."""

    receivers: ClassVar[frozenset[str]]
    """The receivers that must have a key, so that no event is lost or readable to others."""
    event_public_keys: Annotated[dict[str, str], AfterValidator(_require_event_public_keys)]
    """PEMs of the X25519 or P-256 public keys for which the data of events is encrypted, one or, during a
    rotation, two under the name of each receiver: a service, an office's key or ``headquarters``. As JSON; every
    receiver needs one."""

    @field_validator("event_public_keys")
    @classmethod
    def _require_receivers(cls, keys: dict[str, str]) -> dict[str, str]:
        if missing := sorted(cls.receivers - keys.keys()):
            raise ValueError(f"no key of {', '.join(missing)}")
        return keys


class ConsumerSettings(BrokerSettings):
    """Settings of a service that consumes events."""

    event_private_keys: Annotated[list[SecretStr], AfterValidator(_require_event_private_keys)]
    """PEMs of the X25519 keys that decrypt the data of events, the newest first, as JSON; several during a rotation."""

    @property
    def event_private_pems(self) -> list[str]:
        """The private keys for an ``EventDecryptor``."""
        return [key.get_secret_value() for key in self.event_private_keys]


class ObjectSettings(DeskSettings):
    """Settings of a service that stores files on an S3 server."""

    s3_endpoint: str
    """``host:port``."""
    s3_access_key: Annotated[SecretStr, SecretKind.ISSUED]
    s3_secret_key: SecretStr
    s3_bucket: str = Field(default="attachments", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    s3_region: str = "us-east-1"
    s3_secure: bool = True
    """Whether to connect with TLS."""
    s3_path_style: bool = True
    """Whether the bucket is part of the path; False for servers that expect it in the host name."""

    def plain(self) -> list[str]:
        """Return the names of the settings with a connection that is not encrypted."""
        prefix = str(self.model_config.get("env_prefix", ""))
        return super().plain() + ([] if self.s3_secure else [f"{prefix}S3_SECURE"])
