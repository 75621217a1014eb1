"""Numbers in people's text stay in one piece, and lines without letters go from right to left."""

import pytest

from desk.iran.written import isolate_numbers, pieces


def numbers(text: str) -> list[str]:
    return [piece.text for piece in pieces(text) if piece.is_number]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("شماره تماس: 021-8888 8888 یا +98 912 123 4567.", ["021-8888 8888", "+98 912 123 4567"]),
        ("از ۱۴۰۵/۰۶/۲۵ تا ۱۴۰۵/۰۷/۰۱", ["۱۴۰۵/۰۶/۲۵", "۱۴۰۵/۰۷/۰۱"]),
        ("۵ فایل و 7 نامه", []),
        ("(021) 88888888", ["(021) 88888888"]),
        ("12\n34", ["12", "34"]),
    ],
)
def test_a_number_in_groups_is_one_piece(text: str, expected: list[str]) -> None:
    assert numbers(text) == expected


def test_the_pieces_are_the_whole_text() -> None:
    text = "شماره: 021-8888 8888.\n\nCall me: +98 912 123 4567"
    assert "".join(piece.text for piece in pieces(text)) == text


def test_a_line_without_letters_goes_from_right_to_left() -> None:
    assert "".join(piece.text for piece in pieces("سطر\n021 88888888\n")) == "سطر\n\u200f021 88888888\n"


def test_a_number_in_plain_text_stands_in_an_isolate() -> None:
    assert isolate_numbers("شماره: 021-8888 8888.") == "شماره: \u2066021-8888 8888\u2069."
