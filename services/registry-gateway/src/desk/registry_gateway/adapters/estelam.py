"""Reads the record of ``getEstelam3``, which is the same over SOAP and REST.

The number comes as an integer without its leading zeros, names as base64 of UTF-8, gender as 1 (male), 0 or 2 (female),
the death status sometimes in an array, and a refusal as a code in a normal answer.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import assert_never

from desk.iran.digits import fold
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters.codes import code_in
from desk.registry_gateway.domain import (
    Deceased,
    FailureKind,
    Gender,
    Identity,
    Matched,
    NotMatched,
    Referred,
    UnansweredError,
    Verdict,
)

_GENDERS: Mapping[str, Gender] = {"1": "male", "0": "female", "2": "female"}
_DEATH_STATUSES = {"0": False, "1": True}
_NO_DATE = {"", "0", "00000000"}


def read_record(record: Mapping[str, object], national_id: NationalId, birth_date: JalaliDate) -> Verdict:
    """Return the verdict about the person who was looked up. Raises UnansweredError."""
    found = code_in(_texts(record.get("message")) + _texts(record.get("exceptionMessage")))
    if found is not None:
        return _refusal(*found)
    if _text(record, "nin").zfill(10) != national_id.value or _text(record, "birthDate") != str(birth_date.compact()):
        raise UnansweredError(FailureKind.BUG, "the record is of another person")
    if _is_dead(record):
        return Deceased()
    gender = _GENDERS.get(_text(record, "gender"))
    first_name, last_name = _name(record, "name"), _name(record, "family")
    if gender is None or not last_name:
        raise UnansweredError(FailureKind.DOWN, "the record lacks a name or has an unknown gender")
    return Matched(Identity(national_id, birth_date, first_name, last_name, gender))


def _refusal(kind: FailureKind, code: str) -> Verdict:
    match kind:
        case FailureKind.NOT_FOUND:
            return NotMatched()
        case FailureKind.REFER:
            return Referred()
        case FailureKind.RETRY:
            raise UnansweredError(kind, code, retryable=True)
        case (
            FailureKind.QUOTA
            | FailureKind.CLOSED_HOURS
            | FailureKind.CONFIG
            | FailureKind.BUG
            | FailureKind.DOWN
            | FailureKind.IGNORE
        ):
            raise UnansweredError(kind, code)
        case _:
            assert_never(kind)


def _is_dead(record: Mapping[str, object]) -> bool:
    dead = _DEATH_STATUSES.get(_text(record, "deathStatus"))
    if dead is None:
        raise UnansweredError(FailureKind.DOWN, "the record has an unknown death status")
    return dead or _text(record, "deathDate") not in _NO_DATE


def _name(record: Mapping[str, object], field: str) -> str:
    """Return a name. Most buses send it encoded, some have decoded it."""
    text = _text(record, field)
    try:
        return fold(base64.b64decode("".join(text.split()), validate=True).decode())
    except (binascii.Error, ValueError):  # the latter also for letters that are not ASCII
        if text.isascii():
            raise UnansweredError(FailureKind.DOWN, f"{field} is neither text nor encoded text") from None
        return fold(text)


def _text(record: Mapping[str, object], field: str) -> str:
    """Return a field that may be missing, a number, or the only item of an array."""
    texts = _texts(record.get(field))
    return texts[0] if texts else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    return [str(value)] if isinstance(value, int) and not isinstance(value, bool) else []
