"""Errors of the kit.

::

    KitError
    ├── NotPossibleError   the check cannot begin, or cannot continue
    └── Fault              the consumer violates the contract
"""


class KitError(Exception):
    """Base of all errors of the kit."""


class NotPossibleError(KitError):
    """The consumer cannot be checked; the message says what is missing."""


class Fault(KitError):  # noqa: N818 - it is the consumer's error, not the kit's
    """A failed check: the reason, and what to do about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
