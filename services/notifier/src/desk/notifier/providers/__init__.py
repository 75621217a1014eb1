"""The SMS providers: the requests to each of them, and the meaning of their responses."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from desk.notifier.domain import (
    AmbiguousResultError,
    ChannelUnavailableError,
    Delivery,
    MessageRefusedError,
    OutgoingMessage,
    Trouble,
)


class FailureKind(StrEnum):
    """The kind of a provider's refusal; docs/adr/0047 lists which are certain."""

    UNSURE = "unsure"
    """The request failed, and the provider may have accepted the message before."""
    RETRY = "retry"
    RATE_LIMIT = "rate_limit"
    CONFIG = "config"
    NO_CREDIT = "no_credit"
    BUG = "bug"
    BAD_NUMBER = "bad_number"
    BAD_TEXT = "bad_text"
    BLACKLISTED = "blacklisted"


_PERMANENT = {
    FailureKind.BAD_NUMBER: Trouble.BAD_RECIPIENT,
    FailureKind.BLACKLISTED: Trouble.BAD_RECIPIENT,
    FailureKind.BAD_TEXT: Trouble.BAD_TEXT,
}
_TRANSIENT = {
    FailureKind.RETRY: Trouble.BUSY,
    FailureKind.RATE_LIMIT: Trouble.BUSY,
    FailureKind.CONFIG: Trouble.ACCOUNT,
    FailureKind.NO_CREDIT: Trouble.ACCOUNT,
    FailureKind.BUG: Trouble.UNEXPECTED,
}


def error_of(kind: FailureKind) -> ChannelUnavailableError | MessageRefusedError | AmbiguousResultError:
    """Return the error for a refusal: a fault of the message is permanent, one of the account is not."""
    if kind is FailureKind.UNSURE:
        return AmbiguousResultError()
    if kind in _PERMANENT:
        return MessageRefusedError(_PERMANENT[kind])
    return ChannelUnavailableError(_TRANSIENT[kind])


class Provider(Protocol):
    """An SMS provider."""

    @property
    def detects_repeats(self) -> bool:
        """True if the provider stores our reference, so that a repeat does not send a second message."""

    async def send(self, message: OutgoingMessage) -> str:
        """Send one SMS and return the provider's id of it.

        Raises ChannelUnavailableError, MessageRefusedError or AmbiguousResultError.
        """

    async def find(self, message: OutgoingMessage) -> str | None:
        """Return the provider's id of an ambiguous message; None if the provider certainly does not have it.

        Raises ChannelUnavailableError if the provider cannot be asked now.
        """

    async def fetch_reports(self, ids: Sequence[str]) -> Mapping[str, Delivery]:
        """Return the delivery reports of messages by the provider's ids; a message without a report is left out.

        Raises ChannelUnavailableError.
        """

    async def close(self) -> None:
        """Close the connections."""
