import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.iran.digits import bare, clean_number, fold, isolate_ltr, to_ascii, to_persian

BIDI_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("digits", ["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "0123456789", "۰۱٢٣45۶۷٨9"])
def test_every_digit_set_becomes_ascii(digits: str) -> None:
    assert to_ascii(digits) == "0123456789"


def test_only_digits_change_on_the_way_to_ascii() -> None:
    assert to_ascii("كد ۱۲-٣٤ ²") == "كد 12-34 ²"


@pytest.mark.parametrize(
    ("shown", "given_"), [("۱۴۰۵", 1405), ("۱۴۰۵", "1405"), ("۱۴۰۵", "١٤٠٥"), ("ساعت ۹", "ساعت 9")]
)
def test_people_see_persian_digits(shown: str, given_: str | int) -> None:
    assert to_persian(given_) == shown


@given(st.text())
def test_persian_digits_convert_back_to_the_same_ascii(text: str) -> None:
    assert to_ascii(to_persian(text)) == to_ascii(text)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("علي", "علی"),
        ("مصطفى", "مصطفی"),
        ("كريمي", "کریمی"),
        ("رئیس", "رئیس"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("يك\r\nدو\rسه", "یک\nدو\nسه"),
        ("یک\u000bدو\u2028سه", "یک\nدو\nسه"),
        ("ستون\tدوم", "ستون\tدوم"),
        ("\ufeff متن\x00 با\x1b کنترل\x7f \n", "متن با کنترل"),
        ("نیم\ud800ه", "نیمه"),
        ("\u200c \u200c", ""),
        ("ﷲ ۱۲۳", "ﷲ ۱۲۳"),
        ("e\u200e\u0301", "é"),
    ],
)
def test_free_text_is_folded(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@pytest.mark.parametrize("mark", BIDI_MARKS)
def test_no_bidi_mark_survives(mark: str) -> None:
    assert fold(f"الف{mark}ب") == "الفب"
    assert clean_number(f"{mark}09{mark}12") == "0912"


def test_a_yeh_with_hamza_above_is_composed_before_yeh_is_folded() -> None:
    assert fold("ري\u0654يس") == "ر\u0626یس"


@given(st.text(st.characters(codec=None)))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(codec=None)))
def test_folded_text_is_composed_and_can_be_stored(text: str) -> None:
    folded = fold(text)
    assert unicodedata.is_normalized("NFC", folded)
    assert "\x00" not in folded
    assert folded.encode().decode() == folded


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("0912-000-0000", "09120000000"),
        ("(0912) 000\u00a00000", "09120000000"),
        ("0912\u2013000\u20100000", "09120000000"),
        ("\uff10\uff19\uff11\uff12", "0912"),
        ("۰۹\u200c۱۲", "0912"),
        ("479-825141-0", "4798251410"),
        ("-798251410", "-798251410"),
        ("12-", "12-"),
        ("1.5", "1.5"),
        ("", ""),
    ],
)
def test_a_number_loses_its_separators_but_not_its_sign(typed: str, cleaned: str) -> None:
    assert clean_number(typed) == cleaned


def test_a_bare_value_keeps_its_punctuation() -> None:
    assert bare(" ۱۳۶۱ / ۱۲ / ۰۵\u200f") == "1361/12/05"


def test_a_code_stands_in_a_left_to_right_isolate() -> None:
    assert isolate_ltr("1234-5678") == "\u20661234-5678\u2069"
