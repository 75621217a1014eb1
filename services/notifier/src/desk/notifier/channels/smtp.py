"""The email channel: submits to a mail server (RFC 5321), one connection per message."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Literal

import aiosmtplib

from desk.iran.email_address import InvalidEmailError, parse_email
from desk.notifier.domain import ChannelUnavailableError, MessageRefusedError, OutgoingMessage, Trouble

TIMEOUT_SECONDS = 6.0
_PERMANENT = 500


class SmtpChannel:
    """Submits email. The mail server sends no delivery reports."""

    delivers = False

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tls: Literal["none", "starttls", "tls"],
        sender: str,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        self._client_settings = {
            "hostname": host,
            "port": port,
            "use_tls": tls == "tls",
            "start_tls": tls == "starttls",
            "username": user,
            "password": password,
            "timeout": TIMEOUT_SECONDS,
        }
        name, address = parseaddr(sender)
        self._sender = Address(display_name=name, addr_spec=_ascii_address(address))

    async def send(self, message: OutgoingMessage) -> str:
        """Submit one email; its Message-ID contains the reference, so that mailboxes detect a repeat.

        Raises ChannelUnavailableError, or MessageRefusedError if the server will never accept it.
        """
        try:
            email = self._compose(message)
        except InvalidEmailError:
            raise MessageRefusedError(Trouble.BAD_RECIPIENT) from None
        try:
            await aiosmtplib.send(email, **self._client_settings)  # type: ignore[arg-type]  # a dict of mixed types
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refusal.code >= _PERMANENT for refusal in error.recipients):
                raise MessageRefusedError(Trouble.BAD_RECIPIENT) from None
            raise ChannelUnavailableError from None
        except aiosmtplib.SMTPDataError as error:
            if error.code >= _PERMANENT:
                raise MessageRefusedError(Trouble.BAD_TEXT) from None
            raise ChannelUnavailableError from None
        except (aiosmtplib.SMTPException, OSError):
            raise ChannelUnavailableError from None
        return str(email["Message-ID"])

    def _compose(self, message: OutgoingMessage) -> EmailMessage:
        email = EmailMessage()
        email["From"] = self._sender
        email["To"] = _ascii_address(message.recipient)
        email["Subject"] = message.subject or ""
        email["Date"] = formatdate()
        email["Message-ID"] = f"<{message.reference}@{self._sender.domain}>"
        email["Auto-Submitted"] = "auto-generated"
        email.set_content(message.text)
        if message.html is not None:
            email.add_alternative(message.html, subtype="html")
        return email


def _ascii_address(address: str) -> str:
    """Return the ASCII form, with an IDNA domain, which servers without SMTPUTF8 accept. Raises InvalidEmailError."""
    return address if address.isascii() else parse_email(address)
