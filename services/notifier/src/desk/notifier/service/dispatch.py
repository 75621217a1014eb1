"""Sends the due messages of a channel, several at the same time."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from prometheus_client import Counter

from desk.chassis.crypto import Vault
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
    choose_provider,
)
from desk.notifier.store import Claim, LeaseExpiredError, MessageStore

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
    ) -> None:
        """``outcomes`` counts attempts by channel, provider and resulting state.

        ``weights`` are those of the channel's providers, if it has several.
        """
        self._weights = weights or {}
        self._database = database
        self._vault = vault
        self._name = name
        self._channel = channel
        self._outcomes = outcomes

    async def send_due(self) -> int:
        """Send a batch of due messages at the same time; return their number, 0 if none is due.

        The claims are committed first. If a lease expires, after a crash or a lost database, the next attempt has the
        same reference, by which the provider detects a repeat.
        """
        async with self._database.transaction() as session:
            store = MessageStore(session, self._vault)
            claims = await self._assign_providers(store, await store.claim(self._name, BATCH_SIZE))
        results = await asyncio.gather(*(self._send(claim) for claim in claims), return_exceptions=True)
        for result in results:  # errors of the store, raised only now so that no other message is interrupted
            if isinstance(result, BaseException):
                raise result
        return len(claims)

    async def _assign_providers(self, store: MessageStore, claims: Sequence[Claim]) -> list[Claim]:
        """Choose a provider for each message that is not ambiguous. Raises LeaseExpiredError."""
        if not self._weights or all(claim.provider for claim in claims):
            return list(claims)
        stats = await store.provider_stats()
        return [
            claim
            if claim.provider
            else await store.assign(claim, choose_provider(self._weights, stats, random.random()))  # noqa: S311 - shares of work
            for claim in claims
        ]

    async def _send(self, claim: Claim) -> None:
        try:
            outcome = await self._attempt(claim)
        except NotAcceptedError:  # no longer ambiguous: any provider may send it
            async with self._database.transaction() as session:
                store = MessageStore(session, self._vault)
                try:
                    [claim] = await self._assign_providers(store, [replace(claim, provider=None)])
                except LeaseExpiredError:
                    return
            outcome = await self._attempt(claim)
        async with self._database.transaction() as session:
            store = MessageStore(session, self._vault)
            recorded = await store.record(claim, outcome)
            if recorded and outcome.provider_reference is not None and self._channel.delivers:
                await store.mark_delivered(claim.id)
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
                return Outcome.handed_over(await self._channel.send(message))
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
