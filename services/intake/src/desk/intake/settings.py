"""What the environment decides for intake."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.crypto import is_private_key, is_public_key
from desk.chassis.rate_limits import RateLimitText
from desk.chassis.settings import BrokerSettings, LogSettings, ObjectSettings, StoreSettings
from desk.iran.provinces import PROVINCES
from desk.iran.workdays import WorkCalendar, parse_overrides, parse_weekend


def _weekend(text: str) -> str:
    WorkCalendar(parse_weekend(text))
    return text


def _calendar_file(path: Path | None) -> Path | None:
    if path is not None:
        try:
            parse_overrides(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeError) as error:
            raise ValueError(f"the file cannot be read: {type(error).__name__}") from None
    return path


def _of_provinces(keys: dict[str, str]) -> dict[str, str]:
    if unknown := keys.keys() - {each.key for each in PROVINCES}:
        raise ValueError(f"no provinces: {', '.join(sorted(unknown))}")
    if unfit := sorted(province for province, pem in keys.items() if not is_public_key(pem)):
        raise ValueError(f"no Ed25519 public key (PEM): {', '.join(unfit)}")
    return keys


def _signing(key: SecretStr) -> SecretStr:
    if not is_private_key(key.get_secret_value()):
        raise ValueError("no Ed25519 private key (PEM)")
    return key


def _published(keys: list[str]) -> list[str]:
    if unfit := [place for place, pem in enumerate(keys, 1) if not is_public_key(pem)]:
        raise ValueError(f"no Ed25519 public key (PEM) at place {', '.join(map(str, unfit))}")
    return keys


class Settings(StoreSettings, BrokerSettings, ObjectSettings, LogSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_INTAKE_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_INTAKE_")

    identity_public_key: SecretStr
    """PEM of registry-gateway's public key, by which identity tokens are verified."""
    tracking_public_key: SecretStr
    """PEM of tracking's public key, by which tracking tokens are verified."""
    province_keys: Annotated[dict[str, str], AfterValidator(_of_provinces)] = Field(default_factory=dict)
    """PEM of each province's own Ed25519 public key, by the province's key; who has none gets no files."""
    receipt_private_key: Annotated[SecretStr, AfterValidator(_signing)]
    """PEM of the Ed25519 key that signs receipts."""
    receipt_public_keys: Annotated[list[str], AfterValidator(_published)] = Field(default_factory=list)
    """PEMs of further public keys by which receipts are checked: of former keys for ever, and of the next one."""
    public_url: str
    """The desk's own address as applicants know it, for the QR of a receipt."""
    captcha_url: str
    """Base address of the captcha service."""
    registry_url: str
    """Base address of registry-gateway, asked later about applicants whose identity was pending."""
    identity_check_seconds: Annotated[float, Field(gt=0, le=3600)] = 60
    """How long after a submission its pending identity is looked up first; each further wait is twice as long."""
    budget_url: SecretStr
    """``memory://`` or ``redis://…``: where tries are counted."""
    uploads_per_identity: RateLimitText = "40/hour"
    """How many files one identity may put up; some are removed again by the applicant."""
    weekend: Annotated[str, AfterValidator(_weekend)] = "thursday,friday"
    """English names of the days that are no working days."""
    holidays_file: Annotated[Path | None, AfterValidator(_calendar_file)] = None
    """A file with lines such as ``1405-10-05 free`` or ``1405-10-11 worked``, which correct the official holidays."""

    def work_calendar(self) -> WorkCalendar:
        """Give the calendar by which days of an answer are counted."""
        overrides = parse_overrides(self.holidays_file.read_text(encoding="utf-8")) if self.holidays_file else {}
        return WorkCalendar(parse_weekend(self.weekend), overrides)
