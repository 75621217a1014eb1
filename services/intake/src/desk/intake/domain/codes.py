"""Tracking codes: all digits, so that they survive an SMS, a telephone call and a right-to-left page."""

import secrets

DIGITS = 12
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
"""The quasigroup of H. M. Damm, "Total anti-symmetrische Quasigruppen", 2004."""


def new_tracking_code() -> str:
    """Draw a tracking code: eleven random digits and a Damm check digit, so that one mistyped digit is noticed."""
    digits = [secrets.randbelow(10) for _ in range(DIGITS - 1)]
    return "".join(map(str, [*digits, _check_digit(digits)]))


def _check_digit(digits: list[int]) -> int:
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][digit]
    return interim
