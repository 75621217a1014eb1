"""The notices that applicants receive, their languages and their channels."""

from collections.abc import Mapping
from enum import StrEnum


class ChannelName(StrEnum):
    """A way to send a message."""

    SMS = "sms"
    EMAIL = "email"


class Language(StrEnum):
    """A language of notices."""

    FA = "fa"
    EN = "en"


class Template(StrEnum):
    """The occasion of a notice."""

    SUBMITTED = "submitted"
    PENDING = "pending"
    IDENTITY_REJECTED = "identity_rejected"
    REFERRED = "referred"
    INFO_REQUESTED = "info_requested"
    QUESTION_REMINDER = "question_reminder"
    UNANSWERED = "unanswered"
    ANSWERED = "answered"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CONTACT_CHANGED = "contact_changed"
    """To the former mobile of a request, as a warning: it has another one."""
    CODE = "code"
    """A code that proves that the recipient has the mobile, to submit a request."""
    CODE_REQUESTS = "code_requests"
    """Such a code to list the requests of an applicant."""
    CODE_CONTACT = "code_contact"
    """Such a code to make the mobile that of a request."""


CODES = frozenset({Template.CODE, Template.CODE_REQUESTS, Template.CODE_CONTACT})
"""The codes. They belong to no request, and captcha limits them."""

UNREPORTED = CODES | {Template.CONTACT_CHANGED}
"""The messages whose failure is not published: codes, and the warning to a mobile that is no longer the contact."""

NOTICES: Mapping[str, Template] = {
    each.value: each
    for each in (
        Template.IDENTITY_REJECTED,
        Template.REFERRED,
        Template.INFO_REQUESTED,
        Template.UNANSWERED,
        Template.ANSWERED,
        Template.REJECTED,
        Template.WITHDRAWN,
    )
}
"""The notice of each state of a request that has one; docs/adr/0046 explains the choice."""

CHANNELS: Mapping[Template, tuple[ChannelName, ...]] = {
    each: (ChannelName.SMS,) if each in CODES else tuple(ChannelName) for each in Template
}
"""The channels of each template."""

FIRST, USUAL = 0, 1
"""Priorities of a message. A dispatcher sends the due messages of the lowest number first."""

SUPERSEDABLE = frozenset({Template.INFO_REQUESTED, Template.QUESTION_REMINDER, Template.ANSWERED, Template.REJECTED})
"""Notices that are not sent once the request has a newer state: the applicant has read the page and acted."""

MAX_SMS_PARTS = 2
"""The largest number of parts of an SMS, with any values."""

_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = "^{}\\[~]|€\f"


def sms_parts(text: str) -> int:
    """Count the parts of an SMS (3GPP TS 23.038).

    A text of the GSM alphabet has 160 characters in a single part and 153 in each of several. Any other text, so every
    Persian one, has 70 and 67 UTF-16 units.
    """
    if is_gsm(text):
        return _parts(sum(2 if character in _GSM_DOUBLE else 1 for character in text), single=160, joined=153)
    return _parts(len(text.encode("utf-16-be")) // 2, single=70, joined=67)


def is_gsm(text: str) -> bool:
    """Return whether an SMS has only characters of the GSM alphabet."""
    return all(character in _GSM or character in _GSM_DOUBLE for character in text)


def _parts(units: int, *, single: int, joined: int) -> int:
    return 1 if units <= single else -(-units // joined)
