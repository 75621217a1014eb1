"""The words that find a case: those of the applicant's name and of the subject, and two numbers."""

import re

from desk.iran.digits import bare, fold, to_ascii

MIN_WORD_LENGTH = 2
MIN_CODE_DIGITS = 4
"""The number of digits from which a search matches the beginning of a tracking code."""
_SPLIT = re.compile(r"[^\w]+")
_ZWNJ = "\u200c"


def split_words(text: str) -> list[str]:
    """Split text into normalized words; zero-width non-joiners are ignored."""
    plain = to_ascii(fold(text)).replace(_ZWNJ, "").casefold()
    return [word for word in _SPLIT.split(plain) if len(word) >= MIN_WORD_LENGTH]


def parse_number(text: str) -> str | None:
    """Return the digits of a text that is a number in any notation; None for other texts."""
    digits = re.sub(r"[\s()+-]", "", bare(text))
    return digits if digits.isascii() and digits.isdigit() else None


def search_terms(search: str) -> list[str]:
    """Split a search into terms; a number may be written in groups."""
    whole = parse_number(search)
    return [whole] if whole else split_words(search)


def local_phone(number: str) -> str:
    """Return a phone number in the Iranian form, with 0 instead of the country code."""
    return re.sub(r"^(\+98|0098|98(?=9\d{9}$))", "0", number)


def case_words(*texts: str, national_id: str, mobile: str) -> set[str]:
    """Return all words that find a case: those of names and subjects, and two numbers."""
    return {national_id, local_phone(mobile)}.union(*(split_words(text) for text in texts))
