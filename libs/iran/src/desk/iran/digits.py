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
_NEVER_VISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
"""Characters without a shape (Unicode's Default_Ignorable_Code_Point), except joiners and variation selectors."""
_NEWLINE = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_UNPRINTABLE = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}{_NEVER_VISIBLE}]")
_INVISIBLE = re.compile(f"[\\s{_ZWNJ}{_ZWJ}\ufe00-\ufe0f{_BIDI}{_NEVER_VISIBLE}]")
_BRACKETS = str.maketrans("", "", "()[]{}")
_SEPARATORS = re.compile("(?<=[0-9])[-\u2010-\u2015\u2212\u2043]+(?=[0-9])")
_BLANK_SHAPES = "\u2800"
_HEAVY_SPELLINGS = str.maketrans("أإآٱؤئةۀىيك", "اااا" + "و" + "ی" + "ه" + "ه" + "ی" + "ی" + "ک")
_MARKS = re.compile("[\u0640\u0621\u064b-\u065f\u0670\u06d6-\u06ed]")
_GAPS = re.compile(rf"[\s{_ZWNJ}_-]+")
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
    composed (NFC, so that nothing changes its look) and trimmed. Bidi marks, lone surrogates, characters without a
    shape and control characters other than newline and tab are removed. ZWNJ stays inside the text. Digits stay as
    typed. A text in which nothing is visible (spaces, joiners, combining marks alone) becomes the empty string.
    """
    text = _UNPRINTABLE.sub("", _NEWLINE.sub("\n", text))
    text = unicodedata.normalize("NFC", text).translate(_LETTERS).strip(_EDGES)
    return text if any(map(_is_visible, text)) else ""


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK_SHAPES


def search_key(text: str) -> str:
    """Return the form in which text is searched: equal for all spellings of a word, with single spaces.

    Beyond :func:`fold`: letters with hamza or madda become their base letters, ة and ۀ become ه, vowel signs and the
    tatweel are removed, digits become ASCII, ZWNJ counts as a space, and letters are lower case.
    """
    text = to_ascii(unicodedata.normalize("NFKC", fold(text))).casefold()
    return _GAPS.sub(" ", _MARKS.sub("", text.translate(_HEAVY_SPELLINGS))).strip()


def bare(text: str) -> str:
    """Reduce a short typed or pasted value to its visible characters, compatibility forms (NFKC) and digits in ASCII.

    Spaces, bidi marks, ZWNJ and the other invisible characters go; punctuation stays.
    """
    return _INVISIBLE.sub("", to_ascii(unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))))


def clean_number(text: str) -> str:
    """Strip what people put between the digits of a number: spaces, hyphens, brackets and invisible marks.

    A hyphen is removed only between two digits. In front of a number it is a minus sign, and stays for the
    caller to refuse. The result is not checked: letters stay too.
    """
    return _SEPARATORS.sub("", bare(text).translate(_BRACKETS))


def isolate_ltr(text: str) -> str:
    """Wrap a code or phone number in a left-to-right isolate, for plain text such as an SMS.

    Without it, right-to-left text shows the groups of the number in reverse order.
    """
    return f"{_LTR_ISOLATE}{text}{_POP_ISOLATE}"
