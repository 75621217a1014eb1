"""What a case can be found by: whole words of the applicant's name, and the numbers it carries."""

import re

from desk.iran.digits import bare, fold, to_ascii

SHORTEST, MOST = 2, 12
_SPLIT = re.compile(r"[^\w]+")
_ZWNJ = "\u200c"
CODE_DIGITS = 12


def words(text: str) -> list[str]:
    """Split text into the words by which it is found; half spaces do not count."""
    plain = to_ascii(fold(text)).replace(_ZWNJ, "").casefold()
    return [word for word in _SPLIT.split(plain) if len(word) >= SHORTEST][:MOST]


def number(text: str) -> str | None:
    """Give the digits of a text that is a number, however it is written; None of any other."""
    digits = re.sub(r"[\s()+-]", "", bare(text))
    return digits if digits.isascii() and digits.isdigit() else None


def phone(number: str) -> str:
    """Give a phone as people here write it."""
    return re.sub(r"^(\+98|0098|98(?=9\d{9}$))", "0", number)


def words_of_case(*, first_name: str, last_name: str, national_id: str, mobile: str) -> set[str]:
    """Give all words a case is found by."""
    return {*words(first_name), *words(last_name), national_id, phone(mobile)}
