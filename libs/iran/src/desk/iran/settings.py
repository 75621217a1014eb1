"""The settings of a work calendar, for services that compute or check deadlines."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import BaseSettings

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


class WorkCalendarSettings(BaseSettings):
    """Settings of a service that counts working days."""

    weekend: Annotated[str, AfterValidator(_weekend)] = "thursday,friday"
    """English names of the days that are no working days."""
    holidays_file: Annotated[Path | None, AfterValidator(_calendar_file)] = None
    """A file with lines such as ``1405-10-05 free`` or ``1405-10-11 worked``, which correct the official holidays."""

    def work_calendar(self) -> WorkCalendar:
        """Return the calendar by which working days are counted."""
        overrides = parse_overrides(self.holidays_file.read_text(encoding="utf-8")) if self.holidays_file else {}
        return WorkCalendar(parse_weekend(self.weekend), overrides)
