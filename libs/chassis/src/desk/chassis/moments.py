"""Timestamps in JSON."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a timestamp outside the years 1 to 9999 of UTC") from None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _no_number(at: object) -> object:
    """Refuse a number, which pydantic would read as seconds since 1970. Raises ValueError."""
    if isinstance(at, int | float):
        raise ValueError("a timestamp is text")  # noqa: TRY004 - pydantic reports ValueError
    return at


Moment = Annotated[
    AwareDatetime, BeforeValidator(_no_number), AfterValidator(_in_utc), PlainSerializer(_iso, return_type=str)
]
"""A timestamp in JSON: UTC, ISO 8601 with a Z, whole seconds."""
