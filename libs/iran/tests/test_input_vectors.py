"""The vectors that the pages' scripts run as well: one set of rules for what people type."""

import json
from pathlib import Path

import pytest

from desk.iran.digits import fold, search_key
from desk.iran.email_address import InvalidEmailError, parse_email
from desk.iran.errors import IranValueError
from desk.iran.national_id import NationalId
from desk.iran.phone import Landline, Mobile

VECTORS = json.loads((Path(__file__).parents[3] / "contracts" / "vectors" / "input.json").read_text(encoding="utf-8"))


def read(parse, *typed):
    try:
        return parse(*typed)
    except IranValueError:
        return None


@pytest.mark.parametrize(("typed", "stored"), VECTORS["text"])
def test_text_is_folded(typed, stored):
    assert fold(typed) == stored
    assert fold(stored) == stored


@pytest.mark.parametrize(("typed", "key"), VECTORS["search"])
def test_all_spellings_have_one_search_key(typed, key):
    assert search_key(typed) == key


@pytest.mark.parametrize(("typed", "stored"), VECTORS["national_id"])
def test_a_national_id_is_read(typed, stored):
    assert read(lambda text: NationalId.parse(text).value, typed) == stored


@pytest.mark.parametrize(("typed", "stored"), VECTORS["mobile"])
def test_a_mobile_number_is_read(typed, stored):
    assert read(lambda text: Mobile.parse(text).e164, typed) == stored


@pytest.mark.parametrize(("area_code", "number", "stored"), VECTORS["landline"])
def test_a_landline_is_read(area_code, number, stored):
    assert read(lambda *parts: Landline.parse(*parts).e164, area_code, number) == stored


@pytest.mark.parametrize(("typed", "stored"), VECTORS["email"])
def test_an_email_address_is_read(typed, stored):
    assert read(parse_email, typed) == stored


def test_a_local_part_in_another_script_has_a_reason_of_its_own():
    with pytest.raises(InvalidEmailError) as refused:
        parse_email("علی@gmail.com")
    assert refused.value.reason == "local_part"
