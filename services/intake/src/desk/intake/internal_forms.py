"""The forms of tracking's internal calls."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from desk.chassis.moments import Moment
from desk.intake.domain import FILES_MAX
from desk.intake.forms import Short, national_id

TrackingCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
ANSWER_FILES_NAMED_MAX = 10
"""Files of one answer."""


class CodesForm(BaseModel):
    """Tracking's query for reconciliation: codes of a period, page by page; ``after`` is the last code it has."""

    model_config = ConfigDict(hide_input_in_errors=True)

    since: Moment
    until: Moment
    after: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,12}$")] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


class ErasedCodeForm(BaseModel):
    """Tracking's command to add a code to the list of erased ones."""

    model_config = ConfigDict(hide_input_in_errors=True)

    tracking_code: TrackingCode


class ErasedCodesForm(BaseModel):
    """Tracking's query for the list of erased codes, page by page; ``after`` is the last code it has."""

    model_config = ConfigDict(hide_input_in_errors=True)

    after: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,12}$")] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


class PromiseForm(BaseModel):
    """Tracking's query before it accepts a reply: these files of this request, for this reply only."""

    model_config = ConfigDict(hide_input_in_errors=True)

    tracking_code: TrackingCode
    reply: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    files: Annotated[list[UUID], Field(min_length=1, max_length=FILES_MAX)]


class StateForm(BaseModel):
    """Tracking's query for the state of a request, before it refuses a report about an unknown case."""

    model_config = ConfigDict(hide_input_in_errors=True)

    tracking_code: TrackingCode


class AnswerFilesForm(BaseModel):
    """Tracking's query before it accepts an answer: files that this office has uploaded for this case."""

    model_config = ConfigDict(hide_input_in_errors=True)

    tracking_code: TrackingCode
    office: Short
    files: Annotated[list[UUID], Field(min_length=1, max_length=ANSWER_FILES_NAMED_MAX)]


class FindForm(BaseModel):
    """Tracking's query for the request of this person with this code."""

    model_config = ConfigDict(hide_input_in_errors=True)

    national_id: Annotated[Short, AfterValidator(national_id)]
    tracking_code: TrackingCode
