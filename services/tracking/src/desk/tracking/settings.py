"""What the environment decides for tracking."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.rate_limits import RateLimitText
from desk.chassis.settings import BrokerSettings, LogSettings, StoreSettings
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


class Settings(StoreSettings, BrokerSettings, LogSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_TRACKING_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_TRACKING_")

    token_private_key: SecretStr
    """PEM of the Ed25519 key that signs tracking tokens."""
    token_seconds: int = 900
    captcha_url: str
    """Base address of the captcha service."""
    intake_url: str
    """Base address of intake, asked for requests tracking has not heard of yet."""
    registry_url: str
    """Base address of registry-gateway, asked when the civil registry was asked about an applicant."""
    budget_url: SecretStr
    """``memory://`` or ``redis://…``: where tries are counted."""
    misses_per_source: RateLimitText = "10/10 minutes"
    """How many wrong codes one address may try."""
    lookups_per_source: RateLimitText = "120/10 minutes"
    """How often one address may look at all; many people share one."""
    moves_per_request: RateLimitText = "30/hour"
    """How often the applicant of one request may act on it."""
    objection_days: Annotated[int, Field(ge=0, le=365)] = 15
    """How many days after an answer its applicant may object; then the request is closed."""
    silent_hours: Annotated[float, Field(gt=0, le=720)] = 24
    """After how many hours without any word from a province, while requests wait for it, headquarters is told."""
    reconcile_days: Annotated[int, Field(ge=1, le=366)] = 7
    """How many days back intake and tracking are compared, once a day."""

    weekend: Annotated[str, AfterValidator(_weekend)] = "thursday,friday"
    """English names of the days that are no working days."""
    holidays_file: Annotated[Path | None, AfterValidator(_calendar_file)] = None
    """A file with lines such as ``1405-10-05 free`` or ``1405-10-11 worked``, which correct the official holidays."""

    def work_calendar(self) -> WorkCalendar:
        """Give the calendar by which days of an answer are counted."""
        overrides = parse_overrides(self.holidays_file.read_text(encoding="utf-8")) if self.holidays_file else {}
        return WorkCalendar(parse_weekend(self.weekend), overrides)
