import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.iran.foreign_code import ForeignCode, InvalidForeignCodeError

VECTORS = json.loads((Path(__file__).parent / "vectors" / "national-id-vectors.json").read_text(encoding="utf-8"))
SAMPLE = VECTORS["foreign_national_code"]["sample_for_tests"]


@pytest.mark.parametrize("typed", [SAMPLE, f" {SAMPLE[:4]}-{SAMPLE[4:8]}-{SAMPLE[8:]} ", f"\u2066{SAMPLE}\u2069"])
def test_a_typed_code_is_normalised(typed: str) -> None:
    assert ForeignCode.parse(typed).value == SAMPLE


@pytest.mark.parametrize("digits", ["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"])
def test_every_digit_set_is_accepted(digits: str) -> None:
    assert ForeignCode.parse(SAMPLE.translate(str.maketrans("0123456789", digits))).value == SAMPLE


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        ("4798251410", "length"),
        (SAMPLE[1:], "length"),
        (SAMPLE + "0", "length"),
        ("-99900000001", "not_digits"),
        ("99990000000x", "not_digits"),
        ("1" * 12, "equal_digits"),
    ],
)
def test_other_input_is_refused_with_its_reason(typed: str, reason: str) -> None:
    with pytest.raises(InvalidForeignCodeError) as caught:
        ForeignCode.parse(typed)
    assert caught.value.reason == reason


def test_the_constructor_does_not_normalise_but_still_checks() -> None:
    with pytest.raises(InvalidForeignCodeError):
        ForeignCode(f" {SAMPLE}")


@given(st.text(max_size=20))
def test_any_text_gives_a_code_or_the_one_error(text: str) -> None:
    try:
        code = ForeignCode.parse(text)
    except InvalidForeignCodeError:
        return
    assert ForeignCode.parse(code.value) == code


def test_the_code_is_shown_masked_everywhere() -> None:
    code = ForeignCode("123456789012")
    assert [str(code), f"{code}", repr(code)] == ["123*******12", "123*******12", "ForeignCode('123*******12')"]


def test_an_error_never_repeats_the_code() -> None:
    with pytest.raises(InvalidForeignCodeError) as caught:
        ForeignCode.parse("1234567890123")
    assert "1234567890123" not in f"{caught.value}{caught.value!r}"
