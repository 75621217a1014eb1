"""The form of an email: text, or text and HTML. The generator of the standard library needs seven times as long."""

import base64
import uuid
from email.errors import HeaderParseError
from email.header import Header
from email.utils import formataddr, formatdate

_LINE_MAX = 998
"""Characters of a line (RFC 5322, section 2.1.1)."""


def sender_header(name: str, address: str) -> str:
    """Return the value of the header From. ``address`` is in ASCII."""
    return formataddr((name, address)) if name.isascii() else f"{_encoded(name, 'From')} <{address}>"


def compose(*, sender: str, recipient: str, message_id: str, subject: str, text: str, html: str | None) -> bytes:
    """Return an email in ASCII with CRLF. ``sender`` is a value of From; ``recipient`` is an address in ASCII.

    Raises HeaderParseError for a value that contains another header.
    """
    headers = {
        "From": sender,
        "To": recipient,
        "Subject": subject if subject.isascii() else _encoded(subject, "Subject"),
        "Date": formatdate(),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
    }
    for name, value in headers.items():
        if "\n" in value.replace("\r\n ", "") or "\r" in value.replace("\r\n ", ""):
            raise HeaderParseError(f"{name} contains a line break")
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if html is None:
        return "\r\n".join([*lines, _part(text, "plain")]).encode()
    boundary = f"=_{uuid.uuid4().hex}"
    parts = [f"--{boundary}\r\n{part}" for part in (_part(text, "plain"), _part(html, "html"))]
    lines.append(f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n')
    return "\r\n".join([*lines, *parts, f"--{boundary}--\r\n"]).encode()


def _encoded(value: str, name: str) -> str:
    """Return a header's value by RFC 2047, in several lines if it is long."""
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _part(text: str, subtype: str) -> str:
    """Return the headers and the content of a part, with CRLF at its end."""
    lines = [*text.splitlines(), ""]
    content = "\r\n".join(lines)
    if text.isascii() and max(map(len, lines)) <= _LINE_MAX:  # base64 of ASCII text looks like spam to filters
        charset, encoding = "us-ascii", "7bit"
    else:
        charset, encoding = "utf-8", "base64"
        content = base64.encodebytes(content.encode()).decode().replace("\n", "\r\n")
    kind = f'Content-Type: text/{subtype}; charset="{charset}"\r\nContent-Transfer-Encoding: {encoding}'
    return f"{kind}\r\n\r\n{content}"
