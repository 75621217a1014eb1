"""The console's settings, from environment variables."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.console.domain.accounts import PER_ACCOUNT, PER_ADDRESS
from desk.expert import PrivateKeys
from desk.iran.offices import UnknownOfficeError, office
from desk.iran.workdays import WorkCalendar, parse_overrides, parse_weekend
from desk.security.rate_limits import require_readable
from desk.security.secrets import SecretKind
from desk.security.settings import DeskSettings


def _weekend(text: str) -> str:
    WorkCalendar(parse_weekend(text))
    return text


def _event_keys(keys: list[SecretStr]) -> list[SecretStr]:
    try:
        PrivateKeys([key.get_secret_value() for key in keys])
    except ValueError:
        raise ValueError("needs the PEM of an X25519 or P-256 private key, or several") from None
    return keys


class ProvinceSettings(BaseModel):
    """The connection of an office to the desk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker_url: SecretStr
    """``amqps://province.<key>:password@host/vhost``."""
    private_key: SecretStr
    """PEM of the province's Ed25519 key, for downloads and uploads of files."""
    event_private_keys: Annotated[list[SecretStr], AfterValidator(_event_keys)]
    """PEMs of the province's X25519 or P-256 keys, which read events, the newest first."""


def _provinces(provinces: dict[str, ProvinceSettings]) -> dict[str, ProvinceSettings]:
    for key in provinces:
        try:
            office(key)
        except UnknownOfficeError:
            raise ValueError(f"{key} is no office: a key of GET /api/catalog, or headquarters") from None
    return provinces


class Settings(DeskSettings):
    """Read once, in ``create_app``; the variables have the prefix ``DESK_CONSOLE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_CONSOLE_")

    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///desk-console.sqlite3")
    """SQLite for a small province, or ``postgresql+asyncpg://…``."""
    keys: Annotated[SecretStr, SecretKind.KEYS]
    """Keys of 32 bytes in base64, separated by commas: the first encrypts, all decrypt and search."""
    desk_url: str = ""
    """Address of the desk's public gateway, for files and subjects."""
    provinces: Annotated[dict[str, ProvinceSettings], AfterValidator(_provinces)] = Field(default_factory=dict)
    """``{"isfahan": {"broker_url": "…", "private_key": "…", "event_private_keys": ["…"]}}``; usually one."""
    secure_cookies: bool = True
    """False only without TLS, for example on a developer's machine."""
    second_factor: bool = True
    """Whether each sign-in requires a code of a device. Only the demonstration is without."""
    first_password_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """How many hours an issued password is valid; then a supervisor, or ``desk-console``, has to issue another one."""
    attempts_per_account: Annotated[str, AfterValidator(require_readable)] = PER_ACCOUNT
    """Wrong passwords or codes of an account before each further attempt needs a proof of work."""
    attempts_per_address: Annotated[str, AfterValidator(require_readable)] = PER_ADDRESS
    """The same for an address, an IPv4 address or an IPv6 /56, which a whole office may share."""
    redis_url: SecretStr | None = None
    """``redis://:password@host:6379/0``, where attempts are counted. Required with more than one process."""
    metrics_token: SecretStr | None = None
    """Required by ``/metrics`` as ``Authorization: Bearer …``; without it the console has no such page."""
    audit_days: Annotated[int, Field(ge=1, le=36_500)] = 1095
    """For how many days entries of the audit log are kept."""
    weekend: Annotated[str, AfterValidator(_weekend)] = "thursday,friday"
    """English names of the days of the weekend, as the desk counts them."""
    holidays_file: Path | None = None
    """The desk's file of corrections to the official holidays."""

    def calendar(self) -> WorkCalendar:
        """Return the work calendar for deadlines."""
        overrides = parse_overrides(self.holidays_file.read_text(encoding="utf-8")) if self.holidays_file else {}
        return WorkCalendar(parse_weekend(self.weekend), overrides)
