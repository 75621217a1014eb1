"""Queues codes that captcha has sent to a mobile."""

import uuid

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession
from desk.notifier.domain import FIRST, ChannelName, Template
from desk.notifier.forms import CodeToSend
from desk.notifier.rendering import Renderer
from desk.notifier.service.texts import CurrentTexts
from desk.notifier.store import MessageStore, Notice, PersonalData

TEMPLATES = {
    "mobile": Template.CODE,
    "requests": Template.CODE_REQUESTS,
    "contact": Template.CODE_CONTACT,
}
"""The text names the purpose, so that a person does not give the code to another one for something else."""


class Codes:
    """Queues codes. They are sent before all notices, at any hour, and not after they have expired."""

    def __init__(self, vault: Vault, texts: CurrentTexts, renderer: Renderer) -> None:
        """``renderer`` renders ``texts``, which are read before the first message."""
        self._vault = vault
        self._texts = texts
        self._renderer = renderer

    async def queue(self, session: DatabaseSession, code: CodeToSend) -> None:
        """Queue the SMS of a code."""
        await self._texts.require_loaded(session)
        template = TEMPLATES[code.purpose]
        sms = self._renderer.sms(template, code.language, {"digits": code.code})
        notice = Notice(
            event_id=f"code-{uuid.uuid4()}",
            tracking_code="",
            seq=0,
            template=template,
            channel=ChannelName.SMS,
            wording=sms.wording,
            personal=PersonalData(recipient=code.mobile, text=sms.text, values=dict(sms.values)),
            priority=FIRST,
            expires_at=code.expires_at,
        )
        await MessageStore(session, self._vault).queue_code(notice)
