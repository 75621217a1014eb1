"""Reads the record of ``getEstelam3``, which SOAP and the REST wrapper carry alike, with all its quirks.

The number comes as an integer (zeros lost), names as base64 of UTF-8, gender as 1 or as 0 or 2, the death status
sometimes in an array, and a refusal inside a normal answer.
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
    Gender,
    Identity,
    Klass,
    Matched,
    NotMatched,
    Referred,
    UnansweredError,
    Verdict,
)

_GENDERS: Mapping[str, Gender] = {"1": "male", "0": "female", "2": "female"}
_LIFE = {"0": False, "1": True}
_NO_DATE = {"", "0", "00000000"}


def read(record: Mapping[str, object], national_id: NationalId, birth_date: JalaliDate) -> Verdict:
    """Turn a record into a verdict about the person that was asked for. Raises UnansweredError."""
    found = code_in(_texts(record.get("message")) + _texts(record.get("exceptionMessage")))
    if found is not None:
        return _refusal(*found)
    if _text(record, "nin").zfill(10) != national_id.value or _text(record, "birthDate") != str(birth_date.compact()):
        raise UnansweredError(Klass.BUG, "the registry answered for somebody else")
    if _is_dead(record):
        return Deceased()
    gender = _GENDERS.get(_text(record, "gender"))
    first_name, last_name = _name(record, "name"), _name(record, "family")
    if gender is None or not last_name:
        raise UnansweredError(Klass.DOWN, "the record lacks a name or has an unknown gender")
    return Matched(Identity(national_id, birth_date, first_name, last_name, gender))


def _refusal(klass: Klass, code: str) -> Verdict:
    match klass:
        case Klass.NOT_FOUND:
            return NotMatched()
        case Klass.REFER:
            return Referred()
        case Klass.RETRY:
            raise UnansweredError(klass, code, again=True)
        case Klass.QUOTA | Klass.CLOSED_HOURS | Klass.CONFIG | Klass.BUG | Klass.DOWN | Klass.IGNORE:
            raise UnansweredError(klass, code)
        case _:
            assert_never(klass)


def _is_dead(record: Mapping[str, object]) -> bool:
    dead = _LIFE.get(_text(record, "deathStatus"))
    if dead is None:
        raise UnansweredError(Klass.DOWN, "the record has an unknown death status")
    return dead or _text(record, "deathDate") not in _NO_DATE


def _name(record: Mapping[str, object], field: str) -> str:
    """Read a name; most buses encode it, some have done the decoding already."""
    text = _text(record, field)
    try:
        return fold(base64.b64decode("".join(text.split()), validate=True).decode())
    except (binascii.Error, ValueError):  # the latter also where there are letters beyond ASCII
        if text.isascii():
            raise UnansweredError(Klass.DOWN, f"{field} is neither text nor encoded text") from None
        return fold(text)


def _text(record: Mapping[str, object], field: str) -> str:
    """Read a field that may be missing, a number, or the only member of an array."""
    texts = _texts(record.get(field))
    return texts[0] if texts else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    return [str(value)] if isinstance(value, int) and not isinstance(value, bool) else []
