"""Queues the notices of an event, in the event's own transaction."""

from collections.abc import Iterator
from typing import Any

import structlog

from desk.chassis.crypto import Vault
from desk.chassis.events import Received
from desk.database import DatabaseSession
from desk.notifier.domain import ChannelName, SendingPolicy, Template, Trouble
from desk.notifier.events import (
    ContactData,
    NewRequest,
    RequestContactChanged,
    RequestPending,
    RequestStatusChanged,
    RequestSubmitted,
)
from desk.notifier.rendering import Renderer, Values, contact_values, status_values, submission_values
from desk.notifier.service.texts import CurrentTexts
from desk.notifier.store import MessageStore, Notice, PersonalData, RedirectStore

log = structlog.get_logger(__name__)


class Notices:
    """Handles the events that may have a notice."""

    def __init__(self, vault: Vault, texts: CurrentTexts, renderer: Renderer, policy: SendingPolicy) -> None:
        """``renderer`` renders ``texts``, which are read before the first message."""
        self._vault = vault
        self._texts = texts
        self._renderer = renderer
        self._policy = policy

    async def on_request_submitted(self, session: DatabaseSession, received: Received[RequestSubmitted]) -> None:
        """Queue the notice that the request is registered."""
        await self._on_new_request(session, received, Template.SUBMITTED)

    async def on_request_pending(self, session: DatabaseSession, received: Received[RequestPending]) -> None:
        """Queue the notice that the request is accepted and waits for the identity check."""
        await self._on_new_request(session, received, Template.PENDING)

    async def on_status_changed(self, session: DatabaseSession, received: Received[RequestStatusChanged]) -> None:
        """Drop notices that the new state makes out of date, and queue the one of the new state, if any."""
        event = received.data
        if event.template is None:
            await MessageStore(session, self._vault).supersede(event.tracking_code, received.seq)
            return
        values = status_values(event, event.template, event.contact.language)
        await self._queue(session, received, event.template, event.contact, values, supersede=True)

    async def on_contact_changed(self, session: DatabaseSession, received: Received[RequestContactChanged]) -> None:
        """Send what waits to the new mobile, and queue a warning to the former one and to the email address."""
        event = received.data
        moved = await RedirectStore(session, self._vault).redirect(event.tracking_code, event.contact.mobile)
        log.info("contact changed", event_id=received.id, rows=moved)
        values = contact_values(event, event.contact.language)
        await self._queue(session, received, Template.CONTACT_CHANGED, event.former_contact, values)

    async def _on_new_request(
        self,
        session: DatabaseSession,
        received: Received[RequestSubmitted] | Received[RequestPending],
        template: Template,
    ) -> None:
        event: NewRequest = received.data
        values = submission_values(event, event.contact.language)
        await self._queue(session, received, template, event.contact, values)

    async def _queue(
        self,
        session: DatabaseSession,
        received: Received[Any],
        template: Template,
        contact: ContactData,
        values: Values,
        *,
        supersede: bool = False,
    ) -> None:
        await self._texts.require_loaded(session)
        notices = []
        for channel, wording, personal in self._render(template, contact, values):
            foreign = channel is ChannelName.SMS and not contact.receives_sms
            obstacle = Trouble.FOREIGN_NUMBER if foreign else None
            notices.append(
                Notice(received.id, values["code"], received.seq, template, channel, wording, personal, obstacle)
            )
        if not notices:
            return  # an applicant without mobile and email has a printed receipt
        if not await MessageStore(session, self._vault).queue(notices, self._policy, supersede=supersede):
            log.warning("a late event about an erased request", event_id=received.id)

    def _render(
        self, template: Template, contact: ContactData, values: Values
    ) -> Iterator[tuple[ChannelName, str, PersonalData]]:
        if contact.mobile:
            sms = self._renderer.sms(template, contact.language, values)
            personal = PersonalData(recipient=contact.mobile, text=sms.text, values=dict(sms.values))
            yield ChannelName.SMS, sms.wording, personal
        if contact.email is not None:
            email = self._renderer.email(template, contact.language, values)
            personal = PersonalData(recipient=contact.email, text=email.text, subject=email.subject, html=email.html)
            yield ChannelName.EMAIL, email.wording, personal
