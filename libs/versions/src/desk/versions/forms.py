"""The bodies of the routes, except those with the content of a kind."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from desk.chassis.moments import Moment
from desk.iran.digits import fold

_FIRST_YEAR, _LAST_YEAR = 2020, 2200


def _chosen(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"the year must be between {_FIRST_YEAR} and {_LAST_YEAR}")
    return at.astimezone(UTC)


ChosenMoment = Annotated[AwareDatetime, AfterValidator(_chosen)]
"""A moment that people can choose, in UTC."""
DraftId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
Note = Annotated[str, AfterValidator(fold), Field(min_length=3, max_length=600)]


class BeginForm(BaseModel):
    """A new draft: why, and with the content of which version, by default the newest."""

    note: Note
    from_version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class RevisionForm(BaseModel):
    """The revision that the caller has read."""

    revision: Annotated[int, Field(ge=1)]


class SaveForm(RevisionForm):
    """The content of a draft, whole."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
    note: Note
    content: dict[str, Any]


class ApprovalForm(RevisionForm):
    """The approval of a draft; without a time it is in force immediately."""

    in_force_at: ChosenMoment | None = None


class VersionView(BaseModel):
    """A version; ``author`` and ``approved_by`` are people of headquarters, empty for the first version."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    in_force_at: Moment
    note: str
    author: str
    approved_by: str
    approved_at: Moment
    cancelled_at: Moment | None
    cancelled_by: str | None


class VersionsView(BaseModel):
    """All versions, the newest first; ``in_force`` is the number of the one in force."""

    in_force: int
    versions: list[VersionView]


class ChangeView(BaseModel):
    """A difference from the version the draft began with; a side is null if the part is missing there."""

    model_config = ConfigDict(from_attributes=True)

    path: str
    before: Any
    after: Any


class DraftView(BaseModel):
    """A draft; ``revision`` changes with each change of it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    revision: int
    based_on: int
    note: str
    editors: list[str]
    proposed_by: str | None
    changed_at: Moment
