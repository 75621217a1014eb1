import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.iran.phone import InvalidLandlineError, InvalidMobileError, Landline, Mobile
from desk.iran.provinces import PROVINCES

VECTORS = json.loads((Path(__file__).parent / "vectors" / "mobile-prefixes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", VECTORS["normalise_examples"], ids=lambda row: ascii(row["input"]))
def test_a_typed_mobile_number_is_normalised(row: dict[str, str]) -> None:
    assert Mobile.parse(row["input"]).e164 == row["output"]


@pytest.mark.parametrize("text", VECTORS["reject_examples"])
def test_anything_else_is_no_mobile_number(text: str) -> None:
    with pytest.raises(InvalidMobileError) as caught:
        Mobile.parse(text)
    assert caught.value.reason == ("format" if text else "empty")


@pytest.mark.parametrize("prefix", [*VECTORS["all_known_prefixes"], "0906", "0940", "0950", "0989"])
def test_no_operator_is_refused_not_even_an_unknown_one(prefix: str) -> None:
    assert Mobile.parse(f"{prefix}0000000").national == f"{prefix}0000000"


@given(
    st.text("0123456789", min_size=9, max_size=9),
    st.sampled_from(["0", "98", "+98", "0098", "", "+98 (0)"]),
    st.sampled_from("0۰٠"),
)
def test_every_way_to_begin_leads_to_one_number(nine: str, lead: str, zero: str) -> None:
    digits = "".join(chr(ord(zero) + int(digit)) for digit in f"9{nine}")
    assert Mobile.parse(lead + digits).e164 == f"+989{nine}"


@given(st.text(max_size=20))
def test_any_text_gives_a_mobile_number_or_the_one_error(text: str) -> None:
    try:
        mobile = Mobile.parse(text)
    except InvalidMobileError:
        return
    assert Mobile.parse(mobile.national) == Mobile.parse(mobile.e164) == mobile


def test_a_mobile_number_is_shown_masked() -> None:
    mobile = Mobile.parse("09123456789")
    assert [str(mobile), repr(mobile)] == ["0912*****89", "Mobile('0912*****89')"]


def test_a_mobile_number_can_only_be_built_canonical() -> None:
    with pytest.raises(InvalidMobileError):
        Mobile("09123456789")


@pytest.mark.parametrize("area_code", [each.area_code for each in PROVINCES])
def test_every_province_has_landlines(area_code: str) -> None:
    landline = Landline.parse(area_code, "33445566")
    assert landline.national == f"{area_code}33445566"
    assert landline.e164 == f"+98{area_code[1:]}33445566"


@pytest.mark.parametrize(
    ("area_code", "number", "national"),
    [
        ("021", "88776655", "02188776655"),
        ("۰۲۱", "۸۸۷۷-۶۶۵۵", "02188776655"),
        ("021", "8877 6655", "02188776655"),
        ("021", "02188776655", "02188776655"),
        ("021", "(021) 88776655", "02188776655"),
        ("034", "4321", "0344321"),
    ],
)
def test_a_typed_landline_is_normalised(area_code: str, number: str, national: str) -> None:
    assert Landline.parse(area_code, number).national == national


@pytest.mark.parametrize(
    ("area_code", "number", "reason"),
    [
        ("020", "88776655", "area_code"),
        ("", "88776655", "area_code"),
        ("0912", "0000000", "area_code"),
        ("021", "", "empty"),
        ("021", "021", "empty"),
        ("021", "8877abcd", "not_digits"),
        ("021", "+493188776655", "not_digits"),
        ("021", "03188776655", "first_digit"),
        ("021", "11887766", "first_digit"),
        ("021", "887", "length"),
        ("021", "887766554", "length"),
    ],
)
def test_anything_else_is_no_landline(area_code: str, number: str, reason: str) -> None:
    with pytest.raises(InvalidLandlineError) as caught:
        Landline.parse(area_code, number)
    assert caught.value.reason == reason


def test_a_landline_is_shown_masked() -> None:
    landline = Landline.parse("021", "88776655")
    assert [str(landline), repr(landline)] == ["021******55", "Landline('021******55')"]


@pytest.mark.parametrize("national", ["09120000098", "09120098000", "09009812345", "09810098009"])
@pytest.mark.parametrize("lead", ["0", "98", "+98", "0098", "+980"])
def test_the_digits_of_the_country_code_may_stand_inside_a_number(national: str, lead: str) -> None:
    assert Mobile.parse(lead + national[1:]).national == national
