"""Tracking codes: all digits, so that they survive an SMS, a telephone call and a right-to-left page."""

import secrets

from stdnum import damm

DIGITS = 12


def new_tracking_code() -> str:
    """Draw a tracking code: eleven random digits and a Damm check digit, so that one mistyped digit is noticed."""
    digits = "".join(str(secrets.randbelow(10)) for _ in range(DIGITS - 1))
    return f"{digits}{damm.calc_check_digit(digits)}"
