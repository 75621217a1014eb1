"""Takes every email and shows it on a page instead of sending it: what Mailpit is for, from Debian's packages alone."""  # noqa: INP001

import html
import json
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 500
SMTP_PORT, PAGE_PORT = 1025, 8025
STYLE = "body{font:16px/1.7 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap}"
HEAD = f'<meta charset="utf-8"><link rel="icon" href="data:,"><title>Emails</title><style>{STYLE}</style>'

caught: deque[EmailMessage] = deque(maxlen=KEPT)


class Catcher:
    """Stores delivered emails, in memory only."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        mail = message_from_bytes(content if isinstance(content, bytes) else b"", policy=policy.default)
        caught.appendleft(mail)
        return "250 kept"


class Page(BaseHTTPRequestHandler):
    """The emails, newest first: as a page at `/`, and as JSON at `/api/v1/messages` like Mailpit."""

    def do_GET(self) -> None:
        match self.path:
            case "/":
                self._answer("text/html", _page())
            case "/api/v1/messages":
                self._answer("application/json", json.dumps({"total": len(caught), "messages": _listed()}))
            case _:
                self.send_error(HTTPStatus.NOT_FOUND)

    def _answer(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Log nothing for each request."""


def _listed() -> list[dict[str, object]]:
    return [
        {"Subject": mail["subject"], "To": [{"Address": each} for each in _receivers(mail)]} for mail in list(caught)
    ]


def _receivers(mail: EmailMessage) -> list[str]:
    return [address.addr_spec for address in mail["to"].addresses] if mail["to"] else []


def _page() -> str:
    mails = "\n".join(_shown(mail) for mail in list(caught)) or "<p>No email yet.</p>"
    return f"<!doctype html><html>{HEAD}{mails}</html>"


def _shown(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    subject, receivers = html.escape(str(mail["subject"])), html.escape(", ".join(_receivers(mail)))
    text = html.escape(body.get_content() if body else "")
    return f'<article><h2 dir="auto">{subject}</h2><p>{receivers}</p><pre dir="auto">{text}</pre></article><hr>'


if __name__ == "__main__":
    Controller(Catcher(), hostname="0.0.0.0", port=SMTP_PORT).start()  # noqa: S104 - the container's own network
    ThreadingHTTPServer(("0.0.0.0", PAGE_PORT), Page).serve_forever()  # noqa: S104
