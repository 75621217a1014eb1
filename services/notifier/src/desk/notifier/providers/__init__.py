"""The providers of SMS: what each is asked, and what its answers mean.

::

    ChannelDownError   surely not taken; another time, or another provider
    RefusedError       surely not taken, and no provider would take it
    DoubtfulError      nobody knows whether it was taken: ask by its reference before it is sent again
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from desk.notifier.channels import ChannelDownError, DoubtfulError, RefusedError
from desk.notifier.domain import Delivery, OutgoingMessage, Trouble


class Klass(StrEnum):
    """What a provider's refusal asks of us; docs/adr/0047 says which are sure."""

    UNSURE = "unsure"
    """It failed, and may have taken the message before."""
    RETRY = "retry"
    RATE_LIMIT = "rate_limit"
    CONFIG = "config"
    NO_CREDIT = "no_credit"
    BUG = "bug"
    BAD_NUMBER = "bad_number"
    BAD_TEXT = "bad_text"
    BLACKLISTED = "blacklisted"


_FOR_GOOD = {
    Klass.BAD_NUMBER: Trouble.BAD_RECIPIENT,
    Klass.BLACKLISTED: Trouble.BAD_RECIPIENT,
    Klass.BAD_TEXT: Trouble.BAD_TEXT,
}
_FOR_NOW = {
    Klass.RETRY: Trouble.BUSY,
    Klass.RATE_LIMIT: Trouble.BUSY,
    Klass.CONFIG: Trouble.ACCOUNT,
    Klass.NO_CREDIT: Trouble.ACCOUNT,
    Klass.BUG: Trouble.UNEXPECTED,
}


def refusal(klass: Klass) -> ChannelDownError | RefusedError | DoubtfulError:
    """Return the error for a refusal: an error of the message is final, one of the account is not."""
    if klass is Klass.UNSURE:
        return DoubtfulError()
    if klass in _FOR_GOOD:
        return RefusedError(_FOR_GOOD[klass])
    return ChannelDownError(_FOR_NOW[klass])


class Provider(Protocol):
    """A provider of SMS."""

    @property
    def reports(self) -> bool:
        """True if it tells what became of a message, so that a report is to be waited for."""

    @property
    def knows_references(self) -> bool:
        """True if it knows a message by our reference, so that a repeat is no second message."""

    async def send(self, message: OutgoingMessage) -> str:
        """Hand over one SMS and return the provider's id of it.

        Raises ChannelDownError, RefusedError or DoubtfulError.
        """

    async def find(self, message: OutgoingMessage) -> str | None:
        """Return the provider's id of a message that may have been handed over before; None if it surely was not.

        Raises ChannelDownError if that cannot be known now.
        """

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        """Ask what became of messages, by the provider's ids; what it does not tell is left out.

        Raises ChannelDownError.
        """

    def read_report(self, fields: Mapping[str, str]) -> tuple[str, Delivery] | None:
        """Read a delivery report that was sent to us; None if it is none."""

    async def close(self) -> None:
        """Return the connections back."""
