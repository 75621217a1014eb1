"""What can go wrong.

::

    KitError
    ├── NotPossibleError   the check cannot begin, or cannot go on
    └── Fault              the consumer does not do what the contract asks
"""


class KitError(Exception):
    """Base of all errors of the kit."""


class NotPossibleError(KitError):
    """Nothing can be said of the consumer; the text says what is missing."""


class Fault(KitError):  # noqa: N818 - it is the consumer's, and none of the kit
    """A check that did not pass: why, and what to do about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
