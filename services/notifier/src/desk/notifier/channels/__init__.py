"""The channels of messages: SMS, email, and one that only stores."""

from typing import Protocol

from desk.notifier.domain import OutgoingMessage


class Channel(Protocol):
    """Sends messages."""

    @property
    def delivers(self) -> bool:
        """True if an accepted message is a delivered one, so that no report is expected."""

    async def send(self, message: OutgoingMessage) -> str:
        """Send one message and return the provider's id of it.

        A repeat with the same reference must not send twice: it returns the first message's id.
        Raises ChannelUnavailableError, MessageRefusedError, AmbiguousResultError or NotAcceptedError.
        """


class ShownChannel:
    """Accepts every message and sends none; the texts are read from the store of this service."""

    delivers = True

    async def send(self, message: OutgoingMessage) -> str:
        """Accept the message."""
        return f"shown-{message.reference}"
