"""The root of this library's errors, so that a caller can turn any of them into one answer.

IranValueError
├── InvalidNationalIdError      national_id
├── InvalidForeignCodeError     foreign_code
├── InvalidJalaliDateError      jalali
├── InvalidMomentError          jalali
├── InvalidMobileError          phone
├── InvalidLandlineError        phone
├── InvalidEmailError           email_address
├── UnknownProvinceError        provinces
└── InvalidWorkCalendarError    workdays
"""


class IranValueError(ValueError):
    """A value that breaks a rule.

    `reason` is a stable snake_case code for programs, the message is for the reader of a log. Neither ever repeats
    the refused value, which may be personal data.
    """

    def __init__(self, reason: str, message: str) -> None:
        """Keep both in `args`, so that the error survives copying and pickling."""
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        """Show the message alone."""
        return self.message
