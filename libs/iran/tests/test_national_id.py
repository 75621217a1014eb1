import copy
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.iran.errors import IranValueError
from desk.iran.national_id import InvalidNationalIdError, NationalId, check_digit

VECTORS = json.loads((Path(__file__).parent / "vectors" / "national-id-vectors.json").read_text(encoding="utf-8"))
NINE_DIGITS = st.text("0123456789", min_size=9, max_size=9)

REASONS = {
    "4798251411": "check_digit",
    "9549535305": "check_digit",
    "0060078210": "check_digit",
    "0859539736": "check_digit",
    "7487399369": "check_digit",
    "0000000000": "equal_digits",
    "2222222222": "equal_digits",
    "4444444444": "equal_digits",
    "6666666666": "equal_digits",
    "8888888888": "equal_digits",
    "": "empty",
    "479825141": "check_digit",
    "479825141012": "length",
    "-798251410": "not_digits",
    "1.23456789": "not_digits",
}


@pytest.mark.parametrize("number", VECTORS["valid"])
def test_a_valid_number_is_kept(number: str) -> None:
    assert NationalId.parse(number).value == number


@pytest.mark.parametrize("number", [row["value"] for row in VECTORS["invalid"]])
def test_an_invalid_number_is_refused_with_its_reason(number: str) -> None:
    with pytest.raises(InvalidNationalIdError) as caught:
        NationalId.parse(number)
    assert caught.value.reason == REASONS[number]


@pytest.mark.parametrize("row", VECTORS["normalise"], ids=lambda row: row["why"])
def test_a_typed_number_is_normalised(row: dict[str, str]) -> None:
    assert NationalId.parse(row["input"]).value == row["output"]


@pytest.mark.parametrize("digit", "0123456789")
def test_ten_equal_digits_are_refused(digit: str) -> None:
    with pytest.raises(InvalidNationalIdError) as caught:
        NationalId.parse(digit * 10)
    assert caught.value.reason == "equal_digits"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("1008445", "length"),
        ("00000000", "equal_digits"),
        ("abc", "not_digits"),
        ("४७९८२५१४१०", "not_digits"),
        ("4798251410\n1", "length"),
        (VECTORS["foreign_national_code"]["sample_for_tests"], "length"),
    ],
)
def test_other_input_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(InvalidNationalIdError) as caught:
        NationalId.parse(typed)
    assert caught.value.reason == reason


def test_the_constructor_does_not_normalise_but_still_checks() -> None:
    with pytest.raises(InvalidNationalIdError):
        NationalId("10084452")


@given(NINE_DIGITS.filter(lambda nine: len(set(nine)) > 1))
def test_nine_digits_and_their_check_digit_are_valid(nine: str) -> None:
    number = nine + check_digit(nine)
    assert NationalId.parse(number).value == number


@given(NINE_DIGITS.filter(lambda nine: len(set(nine)) > 1))
def test_a_number_that_lost_up_to_two_zeros_is_restored(nine: str) -> None:
    number = "00" + nine[2:] + check_digit("00" + nine[2:])
    if len(set(number)) > 1:
        assert NationalId.parse(number[2:]).value == number
        assert NationalId.parse(number[1:]).value == number


@given(st.text(max_size=20))
def test_any_text_gives_a_number_or_the_one_error(text: str) -> None:
    try:
        number = NationalId.parse(text)
    except InvalidNationalIdError:
        return
    assert NationalId.parse(number.value) == number


@pytest.mark.parametrize(("nine", "reason"), [("12345678", "length"), ("12345678x", "not_digits"), ("", "not_digits")])
def test_a_check_digit_needs_nine_digits(nine: str, reason: str) -> None:
    with pytest.raises(InvalidNationalIdError) as caught:
        check_digit(nine)
    assert caught.value.reason == reason


def test_the_number_is_shown_masked_everywhere() -> None:
    number = NationalId("4798251410")
    assert number.masked == "479*****10"
    assert [str(number), f"{number}", repr(number)] == ["479*****10", "479*****10", "NationalId('479*****10')"]
    assert "4798251410" not in repr([number])


def test_equal_numbers_are_one_key() -> None:
    assert len({NationalId.parse("10084452"), NationalId("0010084452")}) == 1


def test_an_error_never_repeats_the_number() -> None:
    with pytest.raises(InvalidNationalIdError) as caught:
        NationalId.parse("4798251411")
    assert "4798251411" not in f"{caught.value}{caught.value!r}"


def test_an_error_survives_copying_and_pickling() -> None:
    error = InvalidNationalIdError("length", "a national ID has ten digits")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert isinstance(twin, IranValueError)
        assert (twin.reason, str(twin)) == ("length", "a national ID has ten digits")
