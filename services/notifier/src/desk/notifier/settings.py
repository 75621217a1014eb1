"""What the environment decides for notifier."""

import re
from datetime import time
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import BrokerSettings, LogSettings, StoreSettings
from desk.notifier.domain import Manners


class Settings(StoreSettings, BrokerSettings, LogSettings):
    """Read once, in ``create_app``; every name is prefixed ``DESK_NOTIFIER_``."""

    model_config = SettingsConfigDict(env_prefix="DESK_NOTIFIER_")

    public_url: str
    """Address of the desk's home page, for the link in emails; an SMS never has one."""
    smtp_host: str
    """The mail server that takes our email."""
    smtp_port: int = 25
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    """How the mail server is spoken to; ``none`` only on a network of one's own."""
    mail_from: str
    """Sender of our email, such as ``میز خدمت <desk@example.ir>``."""
    sms: str
    """Who sends SMS: providers with their weights, such as ``kavenegar:3,smsir:1``, or one alone.

    ``shown`` sends nothing and keeps every text in the store, for trials. No default, so that nobody waits for an SMS
    because a variable was forgotten.
    """
    kavenegar_url: str = "https://api.kavenegar.com"
    kavenegar_key: SecretStr | None = None
    kavenegar_sender: str = ""
    """The line our SMS come from."""
    kavenegar_report_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """The last part of the address it reports to; without it reports are only asked for. The same for the others."""
    smsir_url: str = "https://api.sms.ir"
    smsir_key: SecretStr | None = None
    smsir_line: Annotated[str, Field(pattern="^[0-9]*$")] = ""
    smsir_templates: Annotated[dict[str, int], Field(default_factory=dict)]
    """SMS.ir's number of each of our files registered there: ``{"fa/submitted.sms.v1": 100200}``; others go as text."""
    smsir_report_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    generic_url: str = ""
    generic_key: SecretStr | None = None
    generic_report_secret: Annotated[SecretStr, Field(min_length=16)] | None = None

    quiet_from: time = time(22)
    quiet_until: time = time(8)
    """No SMS that can wait goes out between them, Tehran time; equal times mean that no hours are quiet."""
    recipient_most: Annotated[int, Field(gt=0)] = 20
    """Messages of one channel that one recipient gets in an hour; more wait."""

    @property
    def manners(self) -> Manners:
        """When and how often a recipient is written to."""
        return Manners(self.quiet_from, self.quiet_until, self.recipient_most)

    @property
    def sms_weights(self) -> dict[str, int]:
        """The providers of SMS and their weights; none if texts are only shown."""
        return {} if self.sms == SHOWN else _weights(self.sms)

    @model_validator(mode="after")
    def _demand_accounts(self) -> Self:
        for name in self.sms_weights:
            if missing := [field for field in ACCOUNTS[name] if not getattr(self, field)]:
                raise ValueError(f"sms names {name}: say {', '.join(missing)} too")
        return self


SHOWN = "shown"
ACCOUNTS = {
    "kavenegar": ("kavenegar_key", "kavenegar_sender"),
    "smsir": ("smsir_key", "smsir_line"),
    "generic": ("generic_url", "generic_key"),
}
"""What each provider of SMS has to be given."""


def _weights(text: str) -> dict[str, int]:
    weights: dict[str, int] = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition(":")
        if name not in ACCOUNTS or name in weights or (weight and not re.fullmatch("[1-9][0-9]{0,3}", weight)):
            raise ValueError(f"sms: say shown, or some of {', '.join(ACCOUNTS)} with weights, as kavenegar:3,smsir:1")
        weights[name] = int(weight or 1)
    return weights
