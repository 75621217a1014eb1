"""The words that find a case: those of the applicant's name, the subject and the request's text, and two numbers."""

import re
from itertools import pairwise

from desk.iran.digits import bare, search_key

INDEX_VERSION = 1
"""Cases whose index was made by an earlier version of these rules are indexed again at the start."""
MIN_WORD_LENGTH = 2
MIN_CODE_DIGITS = 4
"""The number of digits from which a search matches the beginning of a tracking code."""
_BREAK = re.compile(r"[^\w ]+")


def _phrases(text: str) -> list[list[str]]:
    """Return the words between punctuation marks and line ends, in the form in which all spellings are equal."""
    parts = (part for line in text.split("\n") for part in _BREAK.split(search_key(line)))
    return [words for part in parts if (words := part.split())]


def index_words(text: str) -> set[str]:
    """Return the words that find a text: each word, and each pair of neighbours as one word.

    A zero-width non-joiner counts as a space, so that a compound is found in all its spellings.
    """
    found = set()
    for words in _phrases(text):
        found |= {word for word in words if len(word) >= MIN_WORD_LENGTH}
        found |= {first + second for first, second in pairwise(words)}
    return found


def parse_number(text: str) -> str | None:
    """Return the digits of a text that is a number in any notation; None for other texts."""
    digits = re.sub(r"[\s()+-]", "", bare(text))
    return digits if digits.isascii() and digits.isdigit() else None


def search_terms(search: str) -> list[tuple[str, ...]]:
    """Split a search into terms, each with its alternatives: the word, and the word joined to a neighbour.

    A number may be written in groups.
    """
    if whole := parse_number(search):
        return [(whole,)]
    terms = []
    for words in _phrases(search):
        joined = [first + second for first, second in pairwise(words)]
        for place, word in enumerate(words):
            near = joined[max(0, place - 1) : place + 1]
            alternatives = (word, *near) if len(word) >= MIN_WORD_LENGTH else tuple(near)
            if alternatives:
                terms.append(alternatives)
    return terms


def local_phone(number: str) -> str:
    """Return a phone number in the Iranian form, with 0 instead of the country code."""
    return re.sub(r"^(\+98|0098|98(?=9\d{9}$))", "0", number)


def case_words(*texts: str, national_id: str, mobile: str) -> set[str]:
    """Return all words that find a case: those of names, subjects and the request's text, and two numbers."""
    return {national_id, local_phone(mobile)}.union(*(index_words(text) for text in texts)) - {""}
