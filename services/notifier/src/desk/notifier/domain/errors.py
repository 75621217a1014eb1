"""Failures of sending, and errors of a provider's delivery report."""

from desk.notifier.domain.messages import Trouble


class ChannelUnavailableError(Exception):
    """The channel certainly did not accept the message; another attempt or another provider may succeed."""

    def __init__(self, trouble: Trouble = Trouble.UNREACHABLE) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class MessageRefusedError(Exception):
    """The provider certainly did not accept the message, and no provider would."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class AmbiguousResultError(Exception):
    """The provider may have accepted the message: its response was lost or not understood."""


class NotAcceptedError(Exception):
    """The provider of an ambiguous message confirms that it does not have it; any provider may send it now."""
