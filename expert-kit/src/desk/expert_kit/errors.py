"""The errors of the kit.

::

    KitError
    ├── NotPossibleError   the check cannot start or continue
    └── Fault              the consumer violates the contract
"""


class KitError(Exception):
    """Base of all errors of the kit."""


class NotPossibleError(KitError):
    """The consumer cannot be checked; the message says what is missing."""


class Fault(KitError):  # noqa: N818 - a fault of the consumer, not of the kit
    """A failed check: the reason and the advice."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice
