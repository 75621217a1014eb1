"""The channel of SMS: the provider chosen for a message takes it, and no other while that is in doubt."""

from collections.abc import Mapping

from desk.notifier.channels import ChannelDownError, DoubtfulError, NotTakenError
from desk.notifier.domain import OutgoingMessage, Trouble
from desk.notifier.providers import Provider


class SmsChannel:
    """Hands SMS over to one of several providers."""

    delivers = False

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    async def send(self, message: OutgoingMessage) -> str:
        """Hand over one SMS to its provider; if an earlier try may have reached it, only ask.

        Raises ChannelDownError, RefusedError, DoubtfulError or, if it was asked and has it not, NotTakenError.
        """
        provider = self._providers.get(message.provider or "")
        if provider is None:  # no longer among the settings: nobody can be asked
            raise DoubtfulError if message.in_doubt else ChannelDownError(Trouble.ACCOUNT)
        return await (_found(provider, message) if message.in_doubt else provider.send(message))

    async def close(self) -> None:
        """Return the providers' connections back."""
        for provider in self._providers.values():
            await provider.close()


async def _found(provider: Provider, message: OutgoingMessage) -> str:
    try:
        found = await provider.find(message)
    except ChannelDownError:
        raise DoubtfulError from None
    if found is None:
        raise NotTakenError
    return found
