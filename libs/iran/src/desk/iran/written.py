"""Text that people have written, split so that each number is shown in one piece and each line in its own direction."""

import re
from typing import NamedTuple

from desk.iran.digits import isolate_ltr

_DIGIT = "[0-9\u06f0-\u06f9\u0660-\u0669]"
_NUMBER = re.compile(rf"[+(]?{_DIGIT}(?:[ \u00a0().\-\u2013/+]*{_DIGIT})+")
_LETTER = re.compile(r"[^\W\d_]")
_RIGHT_TO_LEFT_MARK = "\u200f"


class Piece(NamedTuple):
    """A piece of a text; a number belongs in a left-to-right isolate."""

    text: str
    is_number: bool


def pieces(text: str) -> list[Piece]:
    """Split a text, as ``written.js`` does on the public pages. A line without letters gets a right-to-left mark."""
    whole = "\n".join(
        _RIGHT_TO_LEFT_MARK + line if line and not _LETTER.search(line) else line for line in text.split("\n")
    )
    found, end = [], 0
    for match in _NUMBER.finditer(whole):
        if match.start() > end:
            found.append(Piece(whole[end : match.start()], is_number=False))
        found.append(Piece(match[0], is_number=True))
        end = match.end()
    if end < len(whole):
        found.append(Piece(whole[end:], is_number=False))
    return found


def isolate_numbers(text: str) -> str:
    """Return a text for places without markup, with each number in a left-to-right isolate."""
    return "".join(isolate_ltr(piece.text) if piece.is_number else piece.text for piece in pieces(text))
