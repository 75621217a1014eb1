"""The origin of a request in its encrypted document, stored apart from the applicant's data."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from desk.intake.domain import WEB, Origin

_ORIGIN = TypeAdapter(Origin)
_KEY = "origin"


def dump_origin(origin: Origin) -> dict[str, object]:
    """Return the part of the document: none for a request that its applicant sent alone."""
    return {} if origin == WEB else {_KEY: _ORIGIN.dump_python(origin)}


def read_origin(personal: Mapping[str, Any]) -> Origin:
    """Return the origin in a document; those of earlier versions have none."""
    return _ORIGIN.validate_python(personal[_KEY]) if _KEY in personal else WEB
