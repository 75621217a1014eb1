"""Email through a mail server that takes it from us (RFC 5321), one connection per message."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Literal

import aiosmtplib

from desk.notifier.channels import ChannelDownError, RefusedError
from desk.notifier.domain import OutgoingMessage, Trouble

TIMEOUT_SECONDS = 6.0
_PERMANENT = 500


class SmtpChannel:
    """Hands email over; what becomes of it then, the mail server tells nobody."""

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
        self._sender = Address(display_name=name, addr_spec=address)

    async def send(self, message: OutgoingMessage) -> str:
        """Hand over one email; its Message-ID is made of the reference, so that mailboxes know a repeat.

        Raises ChannelDownError, or RefusedError if the server will never take it.
        """
        email = self._compose(message)
        try:
            await aiosmtplib.send(email, **self._client_settings)  # type: ignore[arg-type]  # a dict of mixed types
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refusal.code >= _PERMANENT for refusal in error.recipients):
                raise RefusedError(Trouble.BAD_RECIPIENT) from None
            raise ChannelDownError from None
        except aiosmtplib.SMTPDataError as error:
            if error.code >= _PERMANENT:
                raise RefusedError(Trouble.BAD_TEXT) from None
            raise ChannelDownError from None
        except (aiosmtplib.SMTPException, OSError):
            raise ChannelDownError from None
        return str(email["Message-ID"])

    def _compose(self, message: OutgoingMessage) -> EmailMessage:
        email = EmailMessage()
        email["From"] = self._sender
        email["To"] = message.recipient
        email["Subject"] = message.subject or ""
        email["Date"] = formatdate()
        email["Message-ID"] = f"<{message.reference}@{self._sender.domain}>"
        email["Auto-Submitted"] = "auto-generated"
        email.set_content(message.text)
        if message.html is not None:
            email.add_alternative(message.html, subtype="html")
        return email
