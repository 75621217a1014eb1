"""What the environment decides for the console."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from desk.console.seal import Seal
from desk.iran.provinces import UnknownProvinceError, province
from desk.iran.workdays import WorkCalendar, parse_overrides, parse_weekend


def _keys(keys: SecretStr) -> SecretStr:
    Seal.from_text(keys.get_secret_value())
    return keys


def _weekend(text: str) -> str:
    WorkCalendar(parse_weekend(text))
    return text


class ProvinceSettings(BaseModel):
    """How a province reaches the desk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker_url: SecretStr
    """``amqps://province.<key>:password@host/vhost``."""
    private_key: SecretStr
    """PEM of the province's own Ed25519 key, by which it fetches and puts up files."""


def _provinces(provinces: dict[str, ProvinceSettings]) -> dict[str, ProvinceSettings]:
    for key in provinces:
        try:
            province(key)
        except UnknownProvinceError:
            raise ValueError(f"{key} is no province: see GET /api/catalog for their keys") from None
    return provinces


class Settings(BaseSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_CONSOLE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_CONSOLE_", hide_input_in_errors=True)

    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///desk-console.sqlite3")
    """SQLite for a small province, or ``postgresql+asyncpg://…``."""
    keys: Annotated[SecretStr, AfterValidator(_keys)]
    """Keys of 32 bytes in base64, by commas: the first seals personal data, all of them open; the last must stay."""
    desk_url: str = ""
    """Address of the desk's public door, for files and subjects."""
    provinces: Annotated[dict[str, ProvinceSettings], AfterValidator(_provinces)] = Field(default_factory=dict)
    """``{"isfahan": {"broker_url": "…", "private_key": "…"}}``; usually one."""
    secure_cookies: bool = True
    """False only where no TLS stands before the console, as on one's own machine."""
    second_factor: bool = True
    """Whether a code from a device is asked for at each sign-in. Leave it on: the demonstration alone does without."""
    metrics_token: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Who brings it, as ``Authorization: Bearer …``, reads ``/metrics``; without it the console has no such page."""
    weekend: Annotated[str, AfterValidator(_weekend)] = "thursday,friday"
    """English names of the days that are no working days, as the desk counts them."""
    holidays_file: Path | None = None
    """The desk's file of corrections to the official holidays."""

    def calendar(self) -> WorkCalendar:
        """Return the calendar by which due dates move on."""
        overrides = parse_overrides(self.holidays_file.read_text(encoding="utf-8")) if self.holidays_file else {}
        return WorkCalendar(parse_weekend(self.weekend), overrides)
