"""What the console reads of the desk's events, and what it reports."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from desk.expert import FileReference, Titled


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    at: AwareDatetime


class Replied(_Read):
    """The applicant has answered a question."""

    text: str
    files: list[FileReference] = Field(default_factory=list)


class Objected(_Read):
    """The applicant objects; it is for the supervisor."""

    text: str


class Withdrawn(_Read):
    """The applicant has taken the request back."""

    reason: str | None = None


class Rated(_Read):
    """The applicant has rated the answer, from 1 to 5."""

    rating: int
    comment: str | None = None


class Overdue(_Read):
    """The answer is late."""

    due_at: AwareDatetime


def answered(text: str) -> dict[str, Any]:
    """Say an answer; its files are named when the desk has them."""
    return {"text": text, "files": []}


def asked(question: str) -> dict[str, Any]:
    """Ask the applicant."""
    return {"question": question}


def rejected(reason: str) -> dict[str, Any]:
    """Say why a request cannot be granted."""
    return {"reason": reason}


def referred(province: str, reason: str, subject: Titled | None, sub_subject: Titled | None) -> dict[str, Any]:
    """Hand a case on, to another province or another subject."""
    data: dict[str, Any] = {"province": province, "reason": reason}
    if subject is not None and sub_subject is not None:
        data |= {"subject": subject.model_dump(), "sub_subject": sub_subject.model_dump()}
    return data
