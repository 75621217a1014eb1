"""The form of an email (RFC 5322, RFC 2045), written directly: the standard library needs forty times as long."""

import base64
import secrets
from email.utils import formataddr, formatdate

_LINE_MAX = 998
"""Characters of a line (RFC 5322, section 2.1.1)."""
_WORD_CHARACTERS = 11
"""Characters of an encoded word; each has at most four bytes."""


def sender_header(name: str, address: str) -> str:
    """Return the value of the header From. ``address`` is in ASCII."""
    return formataddr((name, address)) if name.isascii() else f"{_encoded(name)} <{address}>"


def _encoded(text: str) -> str:
    """Return the value of a header, as encoded words (RFC 2047) of at most 75 characters if it is not ASCII."""
    if text.isascii():
        return text
    parts = (text[start : start + _WORD_CHARACTERS] for start in range(0, len(text), _WORD_CHARACTERS))
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(part.encode()).decode()}?=" for part in parts)


def compose(*, sender: str, recipient: str, message_id: str, subject: str, text: str, html: str | None) -> bytes:
    """Return an email in ASCII with CRLF. ``sender`` is a value of From; ``recipient`` is an address in ASCII."""
    head = (
        f"From: {sender}\r\nTo: {recipient}\r\nSubject: {_encoded(subject)}\r\nDate: {formatdate()}\r\n"
        f"Message-ID: {message_id}\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
    ).encode("ascii")
    if html is None:
        return head + _part(text, "plain")
    boundary = secrets.token_hex(12).encode()
    return b"".join(
        (
            head,
            b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n--' + boundary + b"\r\n",
            _part(text, "plain"),
            b"\r\n--" + boundary + b"\r\n",
            _part(html, "html"),
            b"\r\n--" + boundary + b"--\r\n",
        )
    )


def _part(text: str, subtype: str) -> bytes:
    lines = [*text.splitlines(), ""]
    plain = "\r\n".join(lines).encode()
    short = text.isascii() and max(map(len, lines)) <= _LINE_MAX  # base64 of ASCII text looks like spam to filters
    encoding, body = ("7bit", plain) if short else ("base64", base64.encodebytes(plain).replace(b"\n", b"\r\n"))
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + body
