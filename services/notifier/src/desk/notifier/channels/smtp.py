"""The email channel: submits to a mail server (RFC 5321)."""

from email.utils import parseaddr
from typing import Literal

import aiosmtplib

from desk.iran.email_address import InvalidEmailError, parse_email
from desk.notifier.channels.mime import compose, sender_header
from desk.notifier.channels.smtp_connections import SmtpConnections
from desk.notifier.domain import ChannelUnavailableError, MessageRefusedError, OutgoingMessage, Trouble

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
        self._connections = SmtpConnections(host=host, port=port, tls=tls, user=user, password=password)
        name, address = parseaddr(sender)
        self._address = _ascii_address(address)
        self._sender = sender_header(name, self._address)

    async def send(self, message: OutgoingMessage) -> str:
        """Submit one email; its Message-ID contains the reference, so that mailboxes detect a repeat.

        Raises ChannelUnavailableError, or MessageRefusedError if the server will never accept it.
        """
        try:
            recipient = _ascii_address(message.recipient)
        except InvalidEmailError:
            raise MessageRefusedError(Trouble.BAD_RECIPIENT) from None
        message_id = f"<{message.reference}@{self._address.rpartition('@')[2]}>"
        email = compose(
            sender=self._sender,
            recipient=recipient,
            message_id=message_id,
            subject=message.subject or "",
            text=message.text,
            html=message.html,
        )
        try:
            await self._connections.submit(self._address, recipient, email)
        except aiosmtplib.SMTPRecipientRefused as error:
            raise _error_of(error.code, Trouble.BAD_RECIPIENT) from None
        except aiosmtplib.SMTPDataError as error:
            raise _error_of(error.code, Trouble.BAD_TEXT) from None
        except (aiosmtplib.SMTPException, OSError):
            raise ChannelUnavailableError from None
        return message_id

    async def check(self) -> None:
        """Log in at the mail server, without an email. Raises SMTPException or OSError."""
        await self._connections.check()

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()


def _error_of(code: int, trouble: Trouble) -> ChannelUnavailableError | MessageRefusedError:
    """Return the error for a refusal: ``trouble`` if it is a permanent one."""
    return MessageRefusedError(trouble) if code >= _PERMANENT else ChannelUnavailableError()


def _ascii_address(address: str) -> str:
    """Return the ASCII form, with an IDNA domain, which servers without SMTPUTF8 accept. Raises InvalidEmailError."""
    return address if address.isascii() else parse_email(address)
