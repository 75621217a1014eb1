"""Rules for passwords: length, and strength by zxcvbn, which knows common passwords, names, dates and keyboard rows."""

import re
import secrets
from collections.abc import Iterable

from zxcvbn import zxcvbn

from desk.console.domain.errors import FieldError
from desk.iran.digits import fold

PASSWORD_MIN, PASSWORD_MAX = 10, 200
SCORE_MIN = 3
"""Of 0 to 4: more than 10⁸ guesses by zxcvbn's estimate."""
ESTIMATED_MAX = 72
"""The strength of a longer text is that of its beginning; the estimate of a long one would be slow."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_OWN_WORDS = (
    "hajj",
    "umrah",
    "ziyarat",
    "zyarat",
    "mizkhedmat",
    "desk",
    "console",
    "گذرواژه",
    "رمز",
    "رمزعبور",
    "حج",
    "عمره",
)
"""Words of the desk, which an attacker tries first."""
_TOO_SHORT = "گذرواژه دست‌کم ۱۰ نویسه است و نام کاربری در آن نیست."
_TOO_COMMON = (
    "این گذرواژه به‌آسانی حدس زده می‌شود. چند واژهٔ بی‌ربط را کنار هم بنویسید، یا گذرواژه‌ای بسازید که نام، تاریخ و "
    "واژهٔ آشنا در آن نباشد."
)


def validate_password(text: str, again: str, username: str, known: Iterable[str] = ()) -> str:
    """Validate a new password. ``known`` are words about its owner, such as the name. Raises FieldError."""
    if not PASSWORD_MIN <= len(text) <= PASSWORD_MAX or username in text.lower():
        raise FieldError("password", _TOO_SHORT)
    if _score(text, [username, *known]) < SCORE_MIN:
        raise FieldError("password", _TOO_COMMON)
    if text != again:
        raise FieldError("again", "دو گذرواژه یکی نیستند. هر دو را دوباره بنویسید.")
    return text


def first_password() -> str:
    """Return a random password that its owner has to change."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def _score(text: str, known: Iterable[str]) -> int:
    words = [part for each in known for part in re.split(r"[\W_]+", fold(each).lower()) if len(part) > 1]
    return int(zxcvbn(fold(text)[:ESTIMATED_MAX], [*words, *_OWN_WORDS])["score"])
