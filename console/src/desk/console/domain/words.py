"""What a case can be found by: whole words of the applicant's name and of its subject, and the numbers it carries."""

import re

from desk.iran.digits import bare, fold, to_ascii

SHORTEST = 2
CODE_BEGINS = 4
"""How many digits of a tracking code are enough to look for it."""
_SPLIT = re.compile(r"[^\w]+")
_ZWNJ = "\u200c"


def words(text: str) -> list[str]:
    """Split text into the words by which it is found; half spaces do not count."""
    plain = to_ascii(fold(text)).replace(_ZWNJ, "").casefold()
    return [word for word in _SPLIT.split(plain) if len(word) >= SHORTEST]


def number(text: str) -> str | None:
    """Return the digits of a text that is a number, however it is written; None of any other."""
    digits = re.sub(r"[\s()+-]", "", bare(text))
    return digits if digits.isascii() and digits.isdigit() else None


def terms(search: str) -> list[str]:
    """Split what is searched; a number may be written in groups."""
    whole = number(search)
    return [whole] if whole else words(search)


def phone(number: str) -> str:
    """Return a phone as people here write it."""
    return re.sub(r"^(\+98|0098|98(?=9\d{9}$))", "0", number)


def words_of_case(*texts: str, national_id: str, mobile: str) -> set[str]:
    """Return all words a case is found by: those of names and subjects, and two numbers."""
    return {national_id, phone(mobile)}.union(*(words(text) for text in texts))
