"""Queueing notices with the event that calls for them, and handing them over a few at a time."""

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.events import Received
from desk.database import Database
from desk.notifier.channels import Channel, ChannelDownError, DoubtfulError, NotTakenError, RefusedError
from desk.notifier.domain import ChannelName, Manners, Outcome, Template, Trouble, choose
from desk.notifier.events import ContactData, NewRequest, RequestPending, RequestStatusChanged, RequestSubmitted
from desk.notifier.rendering import Renderer
from desk.notifier.store import Claim, ClaimLapsedError, MessageStore, Notice, Personal
from desk.notifier.words import Words, status_words, submission_words

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
AT_ONCE = 8
"""How many messages of a channel are handed over at a time: a provider that takes a second must not make a queue."""
SEND_SECONDS = 8.0
"""The longest a channel may take over one message: less than an app that stops waits, far less than a claim holds."""


class Announcer:
    """Queues what an event gives the applicant to know, in the event's own transaction."""

    def __init__(self, vault: Vault, renderer: Renderer, manners: Manners) -> None:
        self._manners = manners
        self._vault = vault
        self._renderer = renderer

    async def announce_submission(self, session: AsyncSession, received: Received[RequestSubmitted]) -> None:
        """Return the applicant that the request is registered."""
        await self._announce_new(session, received, Template.SUBMITTED)

    async def announce_pending(self, session: AsyncSession, received: Received[RequestPending]) -> None:
        """Return the applicant that the request is taken, and that their identity is to be checked."""
        await self._announce_new(session, received, Template.PENDING)

    async def announce_status(self, session: AsyncSession, received: Received[RequestStatusChanged]) -> None:
        """Return the applicant of a new state that matters to them; what still waits and has lost its sense goes."""
        event = received.data
        await MessageStore(session, self._vault).overtake(event.tracking_code, received.seq)
        if event.template is not None:
            words = status_words(event, event.template, event.contact.language)
            await self._queue(session, received, event.template, event.contact, words)

    async def _announce_new(
        self, session: AsyncSession, received: Received[RequestSubmitted] | Received[RequestPending], template: Template
    ) -> None:
        event: NewRequest = received.data
        await self._queue(session, received, template, event.contact, submission_words(event, event.contact.language))

    async def _queue(
        self, session: AsyncSession, received: Received[Any], template: Template, contact: ContactData, words: Words
    ) -> None:
        store = MessageStore(session, self._vault)
        for channel, wording, personal in self._rendered(template, contact, words):
            notice = Notice(received.id, words["code"], received.seq, template, channel, wording, personal)
            await store.queue(notice, self._manners)

    def _rendered(
        self, template: Template, contact: ContactData, words: Words
    ) -> Iterator[tuple[ChannelName, str, Personal]]:
        sms = self._renderer.sms(template, contact.language, words)
        yield ChannelName.SMS, sms.wording, Personal(recipient=contact.mobile, text=sms.text, values=dict(sms.values))
        if contact.email is not None:
            email = self._renderer.email(template, contact.language, words)
            personal = Personal(recipient=contact.email, text=email.text, subject=email.subject, html=email.html)
            yield ChannelName.EMAIL, email.wording, personal


class Dispatcher:
    """Hands the messages of one channel over. Any number may run at once: each takes messages no other holds.

    One for each channel, so that a mail server that hangs holds up no SMS.
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
        """``outcomes`` counts tries by channel, provider and the state they led to.

        ``weights`` are those of the channel's providers, if it has several to choose from.
        """
        self._weights = weights or {}
        self._database = database
        self._vault = vault
        self._name = name
        self._channel = channel
        self._outcomes = outcomes
        self._hint = asyncio.Event()
        self._finishing = False

    def wake(self) -> None:
        """Hint that there is something to send; without it the dispatcher looks twice a second anyway."""
        self._hint.set()

    def finish(self) -> None:
        """End after the messages that are under way, so that none is left claimed."""
        self._finishing = True
        self._hint.set()

    async def run(self) -> None:
        """Hand over until :meth:`finish`; errors of the store end the call, and the caller starts it again."""
        while not self._finishing:
            self._hint.clear()
            if not await self.dispatch_due() and not self._finishing:
                await self._wait()

    async def dispatch_due(self) -> int:
        """Hand over some of the messages that are due, at the same time; return how many, 0 if there is none.

        The claims are committed first. Whoever finds one lapsed, after a crash or a lost database, tries again with
        the same reference, by which the provider knows a repeat.
        """
        async with self._database.transaction() as session:
            store = MessageStore(session, self._vault)
            claims = await self._route(store, await store.claim(self._name, AT_ONCE))
        done = await asyncio.gather(*(self._hand_over(claim) for claim in claims), return_exceptions=True)
        for failure in done:  # of the store: told once all are through, so that none is cut off in mid-send
            if isinstance(failure, BaseException):
                raise failure
        return len(claims)

    async def _route(self, store: MessageStore, claims: Sequence[Claim]) -> list[Claim]:
        """Choose a provider for each that an earlier try cannot have reached. Raises ClaimLapsedError."""
        if not self._weights or all(claim.provider for claim in claims):
            return list(claims)
        records = await store.records()
        return [
            claim if claim.provider else await store.assign(claim, choose(self._weights, records, random.random()))  # noqa: S311 - shares of work
            for claim in claims
        ]

    async def _hand_over(self, claim: Claim) -> None:
        try:
            outcome = await self._try(claim)
        except NotTakenError:  # the doubt is over: any provider may have it now
            async with self._database.transaction() as session:
                store = MessageStore(session, self._vault)
                try:
                    [claim] = await self._route(store, [replace(claim, provider=None)])
                except ClaimLapsedError:  # another has it
                    return
            outcome = await self._try(claim)
        async with self._database.transaction() as session:
            store = MessageStore(session, self._vault)
            ours = await store.record(claim, outcome)
            if ours and outcome.provider_reference is not None and self._channel.delivers:
                await store.mark_delivered(claim.id)
        self._outcomes.labels(self._name, claim.provider or "", outcome.state if ours else "lapsed").inc()
        log.info(
            "message tried",
            message_id=str(claim.id),
            channel=self._name,
            provider=claim.provider,
            template=claim.template,
            tries=claim.tries,
            state=outcome.state if ours else "lapsed",
            trouble=outcome.trouble,
        )

    async def _try(self, claim: Claim) -> Outcome:
        """Hand a message to its channel. Raises NotTakenError if it was in doubt and its provider surely has it not."""
        try:
            message = claim.open(self._vault)
            async with asyncio.timeout(SEND_SECONDS):
                return Outcome.handed_over(await self._channel.send(message))
        except NotTakenError:
            raise
        except RefusedError as error:
            return Outcome.refused(error.trouble)
        except ChannelDownError as error:
            return Outcome.put_off(claim.tries, error.trouble)
        except (DoubtfulError, TimeoutError):
            return Outcome.put_off(claim.tries, Trouble.NO_ANSWER, in_doubt=True)
        except Exception as error:  # one message that breaks its channel must not stop the others  # noqa: BLE001
            # The type alone: a library's message or traceback may repeat the recipient.
            log.error("channel failed", message_id=str(claim.id), channel=self._name, error=type(error).__name__)  # noqa: TRY400
            return Outcome.put_off(claim.tries, Trouble.UNEXPECTED, in_doubt=True)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._hint.wait()
        except TimeoutError:
            return
