"""What events are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from desk.chassis.events import Moment
from desk.tracking.domain import Action, State

TrackingCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]


class Named(BaseModel):
    """A province: its key and its Persian name."""

    key: str
    name: str


class Titled(BaseModel):
    """A subject or sub-subject: its key and its Persian title."""

    key: str
    title: str


class ApplicantName(BaseModel):
    """How a notice addresses the applicant."""

    model_config = ConfigDict(extra="ignore")

    first_name: str
    last_name: str
    gender: str


class Applicant(ApplicantName):
    """The applicant as the civil registry knows them; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str


class Contact(BaseModel):
    """How the applicant can be reached, and in which language; phones in E.164."""

    model_config = ConfigDict(extra="ignore")

    mobile: str
    landline: str | None = None
    email: str | None = None
    language: str = "fa"


class FileReference(BaseModel):
    """A file, fetched over HTTP by its id; ``size`` is in bytes."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class AnswerData(BaseModel):
    """An answer as it is announced and shown."""

    text: str
    at: Moment
    files: list[FileReference] = Field(default_factory=list)


class PastStep(BaseModel):
    """One step of a request's history; ``action`` is what the applicant did, if it was the applicant's step."""

    model_config = ConfigDict(from_attributes=True)

    at: Moment
    state: State
    title: str
    note: str | None
    action: Action | None
    answer: AnswerData | None
    files: list[FileReference]
    """What the applicant sent with it."""
