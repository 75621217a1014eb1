"""Emails as their recipients see them, for a frame in a page whose policy allows no style in attributes.

A frame with ``srcdoc`` has the policy of its page. The styles of an email are all in attributes, because mail programs
drop others. Here they become one style sheet, which the policy allows by its hash, and nothing else that is unsafe.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from html import unescape

_STYLE = re.compile(r' style="([^"]*)"')
"""Only in markup: a quotation mark in a text of an email is escaped."""


@dataclass(frozen=True, slots=True)
class EmailFrame:
    """The document of a frame, and the source by which a policy allows its style sheet."""

    document: str
    style_source: str


def email_frame(html: str) -> EmailFrame:
    """Return an email with its styles in a sheet. Its links would open in a tab, which the frame may not open."""
    names: dict[str, str] = {}

    def in_sheet(style: re.Match[str]) -> str:
        return f' class="{names.setdefault(style[1], f"s{len(names)}")}"'

    body = _STYLE.sub(in_sheet, html)
    sheet = "".join(f".{name}{{{unescape(style)}}}" for style, name in names.items())
    head = f'<base target="_blank"><style>{sheet}</style></head>'
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return EmailFrame(body.replace("</head>", head, 1), f"'sha256-{digest}'")
