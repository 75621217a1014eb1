"""The SMS channel: sends each message through the provider that was chosen for it."""

from collections.abc import Mapping

from desk.notifier.domain import (
    AmbiguousResultError,
    ChannelUnavailableError,
    NotAcceptedError,
    OutgoingMessage,
    Trouble,
)
from desk.notifier.providers import Provider


class SmsChannel:
    """Sends SMS through one of several providers."""

    delivers = False

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    async def send(self, message: OutgoingMessage) -> str:
        """Send one SMS; if it is ambiguous, only ask its provider whether it has the message.

        Raises ChannelUnavailableError, MessageRefusedError, AmbiguousResultError or, if the provider does not have an
        ambiguous message, NotAcceptedError.
        """
        provider = self._providers.get(message.provider or "")
        if provider is None:  # no longer configured, so that it cannot be asked
            raise AmbiguousResultError if message.ambiguous else ChannelUnavailableError(Trouble.ACCOUNT)
        return await (_find(provider, message) if message.ambiguous else provider.send(message))

    async def close(self) -> None:
        """Close the providers' connections."""
        for provider in self._providers.values():
            await provider.close()


async def _find(provider: Provider, message: OutgoingMessage) -> str:
    try:
        found = await provider.find(message)
    except ChannelUnavailableError:
        raise AmbiguousResultError from None
    if found is None:
        raise NotAcceptedError
    return found
