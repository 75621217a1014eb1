"""The form of an email, by the older classes of the standard library: the newer ones need four times as long."""

from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import formataddr, formatdate
from typing import Any

_LINE_MAX = 998
"""Characters of a line (RFC 5322, section 2.1.1)."""
_POLICY = compat32.clone(linesep="\r\n")


def sender_header(name: str, address: str) -> str:
    """Return the value of the header From. ``address`` is in ASCII."""
    return (
        formataddr((name, address))
        if name.isascii()
        else f"{Header(name, 'utf-8', header_name='From').encode()} <{address}>"
    )


def compose(*, sender: str, recipient: str, message_id: str, subject: str, text: str, html: str | None) -> bytes:
    """Return an email in ASCII with CRLF. ``sender`` is a value of From; ``recipient`` is an address in ASCII.

    Raises HeaderParseError for a value that contains another header.
    """
    email: Message[Any, Any] = _part(text, "plain")
    if html is not None:
        email = MIMEMultipart("alternative", _subparts=[email, _part(html, "html")])
    for name, value in (
        ("From", sender),
        ("To", recipient),
        ("Subject", subject if subject.isascii() else Header(subject, "utf-8", header_name="Subject")),
        ("Date", formatdate()),
        ("Message-ID", message_id),
        ("Auto-Submitted", "auto-generated"),
    ):
        email[name] = value
    return email.as_bytes(policy=_POLICY)


def _part(text: str, subtype: str) -> MIMEText:
    lines = [*text.splitlines(), ""]
    short = text.isascii() and max(map(len, lines)) <= _LINE_MAX  # base64 of ASCII text looks like spam to filters
    return MIMEText("\r\n".join(lines), subtype, "us-ascii" if short else "utf-8")
