import json
import re
from pathlib import Path

import pytest

from desk.iran.digits import fold
from desk.iran.errors import IranValueError
from desk.iran.provinces import PROVINCES, Province, UnknownProvinceError, province

ROWS = json.loads((Path(__file__).parent / "vectors" / "provinces.json").read_text(encoding="utf-8"))


def test_the_31_provinces_stand_in_the_order_of_the_file() -> None:
    assert len(PROVINCES) == 31
    assert [each.key for each in PROVINCES] == [row["key"] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["key"])
def test_a_province_is_found_by_its_key(row: dict[str, str]) -> None:
    assert province(row["key"]) == Province(
        row["key"], row["name_fa"], row["name_en"], row["area_code"], row["iso"], row["capital_fa"]
    )


@pytest.mark.parametrize("attribute", ["key", "name", "name_en", "area_code", "iso", "capital"])
def test_no_two_provinces_share_anything(attribute: str) -> None:
    assert len({getattr(each, attribute) for each in PROVINCES}) == 31


def test_keys_fit_into_routing_keys_and_area_codes_into_phone_numbers() -> None:
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", each.key) for each in PROVINCES)
    assert all(re.fullmatch("0[1-9][0-9]", each.area_code) for each in PROVINCES)
    assert all(re.fullmatch("IR-[0-3][0-9]", each.iso) for each in PROVINCES)


def test_names_are_already_folded() -> None:
    assert all(fold(text) == text for each in PROVINCES for text in (each.name, each.capital))


@pytest.mark.parametrize("key", ["", "Tehran", "تهران", "021", "all"])
def test_an_unknown_key_is_refused(key: str) -> None:
    with pytest.raises(UnknownProvinceError) as caught:
        province(key)
    assert isinstance(caught.value, IranValueError)
    assert caught.value.reason == "unknown_province"
