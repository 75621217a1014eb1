"""What applicants are told, in which languages, and by which ways."""

from collections.abc import Mapping
from enum import StrEnum


class ChannelName(StrEnum):
    """The ways a message can go."""

    SMS = "sms"
    EMAIL = "email"


class Language(StrEnum):
    """The languages a notice is written in."""

    FA = "fa"
    EN = "en"


class Template(StrEnum):
    """The occasions on which an applicant is told something."""

    SUBMITTED = "submitted"
    PENDING = "pending"
    IDENTITY_REJECTED = "identity_rejected"
    REFERRED = "referred"
    INFO_REQUESTED = "info_requested"
    ANSWERED = "answered"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


NOTICES: Mapping[str, Template] = {
    each.value: each
    for each in (
        Template.IDENTITY_REJECTED,
        Template.REFERRED,
        Template.INFO_REQUESTED,
        Template.ANSWERED,
        Template.REJECTED,
        Template.WITHDRAWN,
    )
}
"""Which new state of a request its applicant is told of; docs/adr/0046 says why these."""

MOOT = frozenset({Template.INFO_REQUESTED, Template.ANSWERED, Template.REJECTED})
"""Notices that tell nothing once the request has moved on, because its applicant has read the page and acted."""

MOST_PARTS = 2
"""The most parts an SMS of ours may have, whatever fills it."""

_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = "^{}\\[~]|€\f"


def sms_parts(text: str) -> int:
    """Count the parts of an SMS (3GPP TS 23.038).

    A text of the GSM alphabet has 160 characters alone and 153 in each part when joined; any other, so every Persian
    one, has 70 and 67 UTF-16 units.
    """
    if all(character in _GSM or character in _GSM_DOUBLE for character in text):
        return _parts(sum(2 if character in _GSM_DOUBLE else 1 for character in text), alone=160, joined=153)
    return _parts(len(text.encode("utf-16-be")) // 2, alone=70, joined=67)


def _parts(units: int, *, alone: int, joined: int) -> int:
    return 1 if units <= alone else -(-units // joined)
