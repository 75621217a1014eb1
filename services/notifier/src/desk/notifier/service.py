"""Queueing notices with the event that calls for them, and handing them over a few at a time."""

import asyncio
import random
from collections.abc import Mapping

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.db import Database
from desk.chassis.events import Received
from desk.notifier.channels import Channel, ChannelDownError, DoubtfulError, RefusedError
from desk.notifier.domain import ChannelName, Manners, Outcome, Template, Trouble, choose
from desk.notifier.events import (
    ANSWERED_STATE,
    IDENTITY_REJECTED_STATE,
    ContactData,
    RequestPending,
    RequestStatusChanged,
    RequestSubmitted,
)
from desk.notifier.rendering import Renderer, Words, answer_words, rejection_words, sms_values, submission_words
from desk.notifier.store import Claim, MessageStore, Personal, ShownMessage, open_claim

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
        """Tell the applicant that the request is registered."""
        event = received.data
        await self._queue(session, received.id, event.contact, Template.SUBMITTED, submission_words(event))

    async def announce_pending(self, session: AsyncSession, received: Received[RequestPending]) -> None:
        """Tell the applicant that the request is taken, and that their identity is to be checked."""
        event = received.data
        await self._queue(session, received.id, event.contact, Template.PENDING, submission_words(event))

    async def announce_status(self, session: AsyncSession, received: Received[RequestStatusChanged]) -> None:
        """Tell the applicant that the answer is there, or that the request is over; other states need no notice."""
        event = received.data
        if event.state == ANSWERED_STATE and event.answer is not None:
            words = answer_words(event, event.answer.text, event.answer.at)
            await self._queue(session, received.id, event.contact, Template.ANSWERED, words)
        elif event.state == IDENTITY_REJECTED_STATE and event.note is not None:
            words = rejection_words(event, event.note)
            await self._queue(session, received.id, event.contact, Template.IDENTITY_REJECTED, words)

    async def _queue(
        self,
        session: AsyncSession,
        event_id: str,
        contact: ContactData,
        template: Template,
        words: Words,
    ) -> None:
        notices = {
            ChannelName.SMS: Personal(
                recipient=contact.mobile, text=self._renderer.sms(template, words), values=sms_values(words)
            )
        }
        if contact.email is not None:
            email = self._renderer.email(template, words)
            notices[ChannelName.EMAIL] = Personal(
                recipient=contact.email, text=email.text, subject=email.subject, html=email.html
            )
        store = MessageStore(session, self._vault)
        for channel, personal in notices.items():
            await store.queue(
                event_id=event_id,
                tracking_code=words["code"],
                template=template,
                channel=channel,
                personal=personal,
                manners=self._manners,
            )


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
            claims = [await self._route(store, claim) for claim in await store.claim(self._name, AT_ONCE)]
        done = await asyncio.gather(*(self._hand_over(claim) for claim in claims), return_exceptions=True)
        for failure in done:  # of the store: told once all are through, so that none is cut off in mid-send
            if isinstance(failure, BaseException):
                raise failure
        return len(claims)

    async def _route(self, store: MessageStore, claim: Claim) -> Claim:
        """Choose a provider, unless an earlier try may have reached one."""
        if not self._weights or claim.provider is not None:
            return claim
        return await store.assign(claim, choose(self._weights, await store.records(), random.random()))  # noqa: S311 - shares of work

    async def _hand_over(self, claim: Claim) -> None:
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
        try:
            message = open_claim(self._vault, claim)
            async with asyncio.timeout(SEND_SECONDS):
                return Outcome.handed_over(await self._channel.send(message))
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


async def messages_shown(
    session: AsyncSession, vault: Vault, *, limit: int = 50, tracking_code: str | None = None
) -> list[ShownMessage]:
    """Return the newest messages with their words, for the demonstration page; of one request if a code is given."""
    return await MessageStore(session, vault).newest(limit, tracking_code)
