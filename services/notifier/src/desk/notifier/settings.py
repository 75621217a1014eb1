"""Notifier's settings, from environment variables."""

import re
from datetime import time
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import (
    AuditSettings,
    CalleeSettings,
    ClientSettings,
    ConsumerSettings,
    LogSettings,
    PublisherSettings,
    StoreSettings,
    TraceSettings,
)
from desk.iran.offices import OFFICE_KEYS
from desk.notifier.domain import ChannelName, Language, SendingPolicy, Template
from desk.security.secrets import SecretKind


class Settings(
    CalleeSettings,
    ClientSettings,
    AuditSettings,
    StoreSettings,
    PublisherSettings,
    ConsumerSettings,
    LogSettings,
    TraceSettings,
):
    """Read once, in ``create_app``; the variables have the prefix ``DESK_NOTIFIER_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_NOTIFIER_")
    receivers: ClassVar[frozenset[str]] = frozenset({"tracking"})
    clients: ClassVar[frozenset[str]] = OFFICE_KEYS

    budget_url: SecretStr
    """``memory://`` or ``redis://…``: where the assertions of headquarters are used up. Sending needs no Redis."""
    public_url: str
    """Address of the desk's home page, for the link in emails; an SMS contains no link."""
    smtp_host: str
    """The mail server that accepts our email."""
    smtp_port: int = 25
    smtp_user: str | None = None
    smtp_password: Annotated[SecretStr | None, SecretKind.ISSUED] = None
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    """The encryption of the SMTP connection; ``none`` only on a private network."""
    mail_from: str
    """Sender of our email, such as ``میز خدمت <desk@example.ir>``."""
    sms: str
    """The SMS providers with their weights, such as ``kavenegar:3,smsir:1``, or a single one.

    ``shown`` sends nothing and keeps every text in the store, for trials. There is no default, so that a forgotten
    variable does not stop every SMS.
    """
    kavenegar_url: str = "https://api.kavenegar.com"
    kavenegar_key: Annotated[SecretStr | None, SecretKind.ISSUED] = None
    kavenegar_sender: str = ""
    """The sender number of our SMS."""
    smsir_url: str = "https://api.sms.ir"
    smsir_key: Annotated[SecretStr | None, SecretKind.ISSUED] = None
    smsir_line: Annotated[str, Field(pattern="^[0-9]*$")] = ""
    smsir_templates: Annotated[dict[str, int], Field(default_factory=dict)]
    """SMS.ir's number of each text registered there, by the name of the text: ``{"fa/submitted.sms.v3": 100200}``."""
    generic_url: str = ""
    generic_key: Annotated[SecretStr | None, SecretKind.ISSUED] = None

    quiet_from: time = time(22)
    quiet_until: time = time(8)
    """Quiet hours in Tehran time: a deferrable SMS waits until their end. Equal times mean no quiet hours."""
    recipient_most: Annotated[int, Field(gt=0)] = 20
    """Messages of one channel to one recipient in an hour; more wait."""
    sms_daily_most: Annotated[int, Field(gt=0)] = 10
    """Notices by SMS to one mobile in a day; more wait. Codes have limits of their own, in captcha."""

    @property
    def sending_policy(self) -> SendingPolicy:
        """The quiet hours and the rate limit of a recipient."""
        return SendingPolicy(self.quiet_from, self.quiet_until, self.recipient_most, self.sms_daily_most)

    @property
    def sms_weights(self) -> dict[str, int]:
        """The SMS providers and their weights; empty if texts are only shown."""
        return {} if self.sms == SHOWN else _weights(self.sms)

    @field_validator("smsir_templates")
    @classmethod
    def _require_names(cls, templates: dict[str, int]) -> dict[str, int]:
        """The number in a name is that of a text in some version, also of one that is not approved yet."""
        names = "|".join(f"{language}/{each}" for language in Language for each in Template)
        known = re.compile(rf"({names})\.{ChannelName.SMS}\.v[1-9][0-9]*")
        if unknown := sorted(name for name in templates if not known.fullmatch(name)):
            raise ValueError(f"there is no text {', '.join(unknown)}")
        return templates

    @model_validator(mode="after")
    def _require_accounts(self) -> Self:
        for name in self.sms_weights:
            if missing := [field for field in ACCOUNTS[name] if not getattr(self, field)]:
                raise ValueError(f"sms names {name}: set {', '.join(missing)} too")
        return self


SHOWN = "shown"
ACCOUNTS = {
    "kavenegar": ("kavenegar_key", "kavenegar_sender"),
    "smsir": ("smsir_key", "smsir_line"),
    "generic": ("generic_url", "generic_key"),
}
"""The required settings of each SMS provider."""


def _weights(text: str) -> dict[str, int]:
    weights: dict[str, int] = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition(":")
        if name not in ACCOUNTS or name in weights or (weight and not re.fullmatch("[1-9][0-9]{0,3}", weight)):
            raise ValueError(f"sms: use shown, or some of {', '.join(ACCOUNTS)} with weights, as kavenegar:3,smsir:1")
        weights[name] = int(weight or 1)
    return weights
