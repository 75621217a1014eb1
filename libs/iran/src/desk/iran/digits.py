"""Digits and letters as people in Iran type them: accept every form, store one."""

import re
import unicodedata

_PERSIAN = "۰۱۲۳۴۵۶۷۸۹"
_ARABIC_INDIC = "٠١٢٣٤٥٦٧٨٩"
_ASCII = "0123456789"

_TO_ASCII = str.maketrans(_PERSIAN + _ARABIC_INDIC, _ASCII * 2)
_TO_PERSIAN = str.maketrans(_ASCII + _ARABIC_INDIC, _PERSIAN * 2)
_LETTERS = str.maketrans({"\u064a": "\u06cc", "\u0649": "\u06cc", "\u0643": "\u06a9"})

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NEWLINE = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_UNPRINTABLE = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ud800-\udfff{_BIDI}]")
_INVISIBLE = re.compile(f"[\\s\u00ad\u200b{_ZWNJ}{_ZWJ}\u2060\ufeff{_BIDI}]")
_BRACKETS = str.maketrans("", "", "()")
_INNER_HYPHEN = re.compile("(?<=[0-9])[-\u2010-\u2015\u2212]+(?=[0-9])")
_EDGES = "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + _ZWNJ + _ZWJ

_LTR_ISOLATE, _POP_ISOLATE = "\u2066", "\u2069"


def to_ascii(text: str) -> str:
    """Turn Persian (U+06F0…) and Arabic-Indic (U+0660…) digits into ASCII digits and leave the rest."""
    return text.translate(_TO_ASCII)


def to_persian(text: str | int) -> str:
    """Turn ASCII and Arabic-Indic digits into Persian ones and leave the rest: for people, never for storage."""
    return str(text).translate(_TO_PERSIAN)


def fold(text: str) -> str:
    """Fold free text (names, requests) into the one form that is stored and compared.

    ي and ى become ی, ك becomes ک, every line end (CRLF, a word processor's vertical tab) becomes LF, the text is
    composed (NFC, so that nothing changes its look) and trimmed. Bidi marks, lone surrogates and control characters
    other than newline and tab go. ZWNJ stays, except at the edges, so that a text of nothing but ZWNJ counts as
    empty. Digits stay as typed.
    """
    text = _UNPRINTABLE.sub("", _NEWLINE.sub("\n", text))
    return unicodedata.normalize("NFC", text).translate(_LETTERS).strip(_EDGES)


def bare(text: str) -> str:
    """Reduce a short typed or pasted value to its visible characters, compatibility forms (NFKC) and digits in ASCII.

    Spaces, bidi marks, ZWNJ and the other invisible characters go; punctuation stays.
    """
    return _INVISIBLE.sub("", to_ascii(unicodedata.normalize("NFKC", text)))


def clean_number(text: str) -> str:
    """Strip what people put between the digits of a number: spaces, hyphens, parentheses and invisible marks.

    A hyphen goes only between two digits. In front of a number it is a minus sign, and stays for the caller to refuse.
    The result is not checked: letters stay too.
    """
    return _INNER_HYPHEN.sub("", bare(text).translate(_BRACKETS))


def isolate_ltr(text: str) -> str:
    """Wrap a code or phone number in a left-to-right isolate, for plain text such as an SMS.

    Without it, right-to-left text shows the groups of the number in reverse order.
    """
    return f"{_LTR_ISOLATE}{text}{_POP_ISOLATE}"
