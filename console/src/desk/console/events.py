"""The fields of the desk's events that the console reads, and the data of its reports."""

from typing import Any

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field

from desk.expert import FileReference, Titled


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    at: AwareDatetime


class Replied(_Event):
    """The applicant replied to a question."""

    text: str
    files: list[FileReference] = Field(default_factory=list)


class Objected(_Event):
    """The applicant objected to the answer."""

    text: str
    answer_report_id: str | None = None


class Acted(_Event):
    """An action of the applicant with what the applicant wrote, if anything."""

    text: str | None = Field(default=None, validation_alias=AliasChoices("text", "reason"))


class Rated(_Event):
    """The applicant rated the answer, from 1 to 5."""

    rating: int
    comment: str | None = None


class Overdue(_Event):
    """The answer is late."""

    due_at: AwareDatetime
    office_due_at: AwareDatetime | None = None
    """When this office had to answer, if it got the case after ``due_at``."""


def answered(text: str) -> dict[str, Any]:
    """Return the data of an answer; its files are added after the upload."""
    return {"text": text, "files": []}


def asked(question: str, days: int) -> dict[str, Any]:
    """Return the data of a question, to be answered within so many working days."""
    return {"question": question, "answer_within_days": days}


def rejected(reason: str) -> dict[str, Any]:
    """Return the data of a rejection."""
    return {"reason": reason}


def referred(province: str, reason: str, subject: Titled | None, sub_subject: Titled | None) -> dict[str, Any]:
    """Return the data of a referral to another office or another subject."""
    data: dict[str, Any] = {"province": province, "reason": reason}
    if subject is not None and sub_subject is not None:
        data |= {"subject": subject.model_dump(), "sub_subject": sub_subject.model_dump()}
    return data


def taken_over(reason: str) -> dict[str, Any]:
    """Return the data of a take-over."""
    return {"reason": reason}


def commented(text: str) -> dict[str, Any]:
    """Return the data of a comment."""
    return {"text": text}
