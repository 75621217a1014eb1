"""What the environment decides for notifier."""

from typing import Literal

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from desk.chassis.settings import BrokerSettings, LogSettings, StoreSettings


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
    sms: Literal["shown"]
    """Which provider sends SMS: ``shown`` sends nothing and keeps every text in the store, for trials.

    No default, so that nobody waits for an SMS because a variable was forgotten.
    """
