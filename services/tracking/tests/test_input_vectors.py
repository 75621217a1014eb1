"""Tracking codes as people paste them; the page's scripts read the same vectors."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from desk.tracking.forms import TrackingQuery

VECTORS = json.loads((Path(__file__).parents[3] / "contracts" / "vectors" / "input.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("typed", "code"), VECTORS["tracking_code"])
def test_a_tracking_code_is_read(typed, code):
    query = {
        "national_id": "8050002152",
        "tracking_code": typed,
        "captcha": {"id": "a-challenge-id", "answer": "12345"},
    }
    try:
        read = TypeAdapter(TrackingQuery).validate_python(query).tracking_code
    except ValidationError:
        read = None
    assert read == code
