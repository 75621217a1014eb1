"""Sends the due messages of a channel, several at the same time."""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from prometheus_client import Counter

from desk.chassis.crypto import Vault
from desk.chassis.tracing import Tracing, mark_failed
from desk.database import Database
from desk.notifier.channels import Channel
from desk.notifier.domain import (
    AmbiguousResultError,
    ChannelName,
    ChannelUnavailableError,
    MessageRefusedError,
    NotAcceptedError,
    Outcome,
    Trouble,
)
from desk.notifier.service.provider_choice import ProviderChoice
from desk.notifier.store import Claim, ClaimStore, LeaseExpiredError

log = structlog.get_logger(__name__)

BATCH_SIZE = 8
"""Messages of a channel that are sent at the same time, so that a slow provider does not delay the queue."""
SEND_SECONDS = 8.0
"""The time limit of one message: shorter than a stopping app waits, and much shorter than a lease."""
LEASE_EXPIRED = "lapsed"
"""The outcome of an attempt that another dispatcher has taken over."""


class Dispatcher:
    """Sends the messages of one channel. Any number may run at the same time: each claims different messages.

    Each channel has its own, so that a mail server that hangs does not delay SMS.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        name: ChannelName,
        channel: Channel,
        *,
        outcomes: Counter,
        weights: Mapping[str, int] | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """``outcomes`` counts attempts by channel, provider and resulting state.

        ``weights`` are those of the channel's providers, if it has several.
        """
        self._providers = ProviderChoice(database, weights or {})
        self._database = database
        self._vault = vault
        self._name = name
        self._channel = channel
        self._outcomes = outcomes
        self._tracing = tracing

    async def send_due(self, on_full_batch: Callable[[], None] = lambda: None) -> int:
        """Send a batch of due messages at the same time; return their number, 0 if none is due.

        The claims are committed first. If a lease expires, after a crash or a lost database, the next attempt has the
        same reference, by which the provider detects a repeat. ``on_full_batch`` is called before a batch is sent that
        may have left others.
        """
        choices = await self._providers.choose(BATCH_SIZE)
        async with self._database.statements() as connection:
            claims = await ClaimStore(connection).claim(self._name, BATCH_SIZE, choices)
        if len(claims) == BATCH_SIZE:
            on_full_batch()
        results = await asyncio.gather(*map(self._send_traced, claims), return_exceptions=True)
        for result in results:  # errors of the store, raised only now so that no other message is interrupted
            if isinstance(result, BaseException):
                raise result
        return len(claims)

    async def _send_traced(self, claim: Claim) -> None:
        if self._tracing is None:
            await self._send(claim)
            return
        with self._tracing.send(self._name, str(claim.id), claim.traceparent):
            await self._send(claim)

    async def _send(self, claim: Claim) -> None:
        try:
            outcome = await self._attempt(claim)
        except NotAcceptedError:  # no longer ambiguous: any provider may send it
            [provider] = await self._providers.choose(1)
            try:
                async with self._database.statements() as connection:
                    claim = await ClaimStore(connection).assign(claim, provider)
            except LeaseExpiredError:
                return
            outcome = await self._attempt(claim)
        async with self._database.statements() as connection:
            recorded = await ClaimStore(connection).record(claim, outcome)
        if outcome.is_provider_failure:
            self._providers.forget()
        if outcome.trouble is not None:
            mark_failed(outcome.trouble)
        result = outcome.state if recorded else LEASE_EXPIRED
        self._outcomes.labels(self._name, claim.provider or "", result).inc()
        log.info(
            "send attempted",
            message_id=str(claim.id),
            channel=self._name,
            provider=claim.provider,
            template=claim.template,
            attempts=claim.attempts,
            state=result,
            trouble=outcome.trouble,
        )

    async def _attempt(self, claim: Claim) -> Outcome:
        """Pass a message to its channel. Raises NotAcceptedError if its provider does not have an ambiguous message."""
        try:
            message = claim.decrypt(self._vault)
            async with asyncio.timeout(SEND_SECONDS):
                reference = await self._channel.send(message)
            return Outcome.delivered(reference) if self._channel.delivers else Outcome.handed_over(reference)
        except NotAcceptedError:
            raise
        except MessageRefusedError as error:
            return Outcome.refused(error.trouble)
        except ChannelUnavailableError as error:
            return Outcome.retry(claim.attempts, error.trouble)
        except (AmbiguousResultError, TimeoutError):
            return Outcome.retry(claim.attempts, Trouble.NO_ANSWER, ambiguous=True)
        except Exception as error:  # a message that breaks its channel must not stop the others  # noqa: BLE001
            # Only the type: a library's message or traceback may contain the recipient.
            log.error("channel failed", message_id=str(claim.id), channel=self._name, error=type(error).__name__)  # noqa: TRY400
            return Outcome.retry(claim.attempts, Trouble.UNEXPECTED, ambiguous=True)
