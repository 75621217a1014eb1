"""The data that each report needs, checked before it is sent, so that a mistake is seen where it is made."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from desk.expert.errors import InvalidReportError

TEXT_MAX, FILES_MAX, NUMBER_MAX = 8000, 10, 2**31 - 1
_PRINTABLE = r"^[!-~]+$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_MAX)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class _Envelope(_Part):
    id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_PRINTABLE)]
    tracking_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    seq: Annotated[int, Field(ge=1, le=NUMBER_MAX)]
    at: AwareDatetime


class _Asked(_Part):
    question: Text
    answer_within_days: Annotated[int, Field(ge=1, le=60)] | None = None


class _File(_Part):
    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class _Answered(_Part):
    text: Text
    files: Annotated[list[_File], Field(max_length=FILES_MAX)] = []


class _Rejected(_Part):
    reason: Text


class _Subject(_Part):
    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]


class _Referred(_Part):
    province: Annotated[str, StringConstraints(min_length=1)]
    reason: Text
    subject: _Subject | None = None
    sub_subject: _Subject | None = None

    @model_validator(mode="after")
    def _require_whole_subject(self) -> Self:
        if (self.subject is None) != (self.sub_subject is None):
            raise ValueError("subject and sub_subject belong together: give both, or none")
        return self


class _Commented(_Part):
    text: Text


class _Erased(_Part):
    certificate_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]


_MODELS: Mapping[str, type[_Part]] = {
    "case-received": _Part,
    "case-assigned": _Part,
    "case-opened": _Part,
    "case-info-requested": _Asked,
    "case-answered": _Answered,
    "case-rejected": _Rejected,
    "case-referred": _Referred,
    "case-erased": _Erased,
    "case-taken-over": _Rejected,
    "case-commented": _Commented,
}


def check_data(name: str, data: Mapping[str, Any]) -> None:
    """Check the data of a report against the contract. Raises InvalidReportError with the first wrong field."""
    model = _MODELS.get(name)
    if model is None:
        raise InvalidReportError("name", f"{name!r} is none of {', '.join(sorted(_MODELS))}")
    _check(model, data, "data.")


def check_envelope(**values: object) -> None:
    """Check ``id``, ``tracking_code``, ``seq`` and ``at`` of a report. Raises InvalidReportError."""
    _check(_Envelope, values, "")


def _check(model: type[_Part], values: Mapping[str, object], path: str) -> None:
    try:
        model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "sub_subject"
        raise InvalidReportError(f"{path}{place}", first["msg"].removeprefix("Value error, ")) from None
