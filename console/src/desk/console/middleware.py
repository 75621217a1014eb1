"""ASGI middleware for every request: a limit of the body's size, and the security headers of the response."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.console.domain.cases import FILES_MAX
from desk.files.types import FILE_BYTES_MAX

BODY_MAX = FILES_MAX * FILE_BYTES_MAX + 1024 * 1024
"""Bytes of a request: the files of an answer and its texts."""


def content_policy(*style_sources: str) -> str:
    """Return the policy of a page, whose style sheets come from the console or from these sources."""
    styles = " ".join(("'self'", *style_sources))
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; font-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    "Content-Security-Policy": content_policy(),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
"""Only where the console is served over TLS: browsers then refuse plain HTTP for a year."""
TOO_LARGE = "فایل‌ها روی هم از اندازهٔ مجاز بزرگ‌ترند. به صفحهٔ پیش برگردید و فایل‌های کوچک‌تری بفرستید."


class BodyTooLargeError(HTTPException):
    """The body is larger than allowed."""

    def __init__(self) -> None:
        super().__init__(413, TOO_LARGE, {"Connection": "close"})


class RequestGuard:
    """Adds the headers, and rejects requests whose body is too large, also without a content length."""

    def __init__(self, app: ASGIApp, *, tls: bool, body_max: int = BODY_MAX) -> None:
        self._app, self._body_max = app, body_max
        self._headers = HEADERS | (HSTS if tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:  # PostgreSQL stores no NUL, so nothing matches
            scope = {**scope, "path": f"{scope.get('root_path', '')}/nowhere", "query_string": b""}
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._body_max:
                raise BodyTooLargeError
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store" if "etag" not in headers else "no-cache")
            await send(message)

        await self._app(scope, receive_limited, send_with_headers)
