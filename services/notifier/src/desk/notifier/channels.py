"""The ways out: what a channel is, and the embedded one.

::

    ChannelDownError   try again later
    RefusedError       no further try helps
    DoubtfulError      nobody knows whether it was taken
    NotTakenError      it was in doubt, and surely was not taken
"""

from typing import Protocol

from desk.notifier.domain import OutgoingMessage, Trouble


class ChannelDownError(Exception):
    """The provider cannot be reached or cannot take the message now; it is tried again."""

    def __init__(self, trouble: Trouble = Trouble.UNREACHABLE) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class RefusedError(Exception):
    """The provider will never take this message."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class DoubtfulError(Exception):
    """The provider may have taken the message, or not: its answer was lost or not understood."""


class NotTakenError(Exception):
    """The provider of a message in doubt says that it has it not; nothing was sent, and any provider may have it."""


class Channel(Protocol):
    """Hands messages to a provider of SMS or email."""

    @property
    def delivers(self) -> bool:
        """True if a message handed over is a message delivered, so that no report is to be waited for."""

    async def send(self, message: OutgoingMessage) -> str:
        """Hand over one message and return the provider's id of it.

        A repeat with the same reference must not send twice: it returns the first message's id.
        Raises ChannelDownError, RefusedError, DoubtfulError or NotTakenError.
        """


class ShownChannel:
    """The embedded channel: takes everything and sends nothing; the messages are read from this service's store."""

    delivers = True

    async def send(self, message: OutgoingMessage) -> str:
        """Take the message."""
        return f"shown-{message.reference}"
