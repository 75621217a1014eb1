"""The gateway in the process: the routes of ``gateway/routes.toml`` and the pages of ``gateway/web``."""

import re
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.routing import Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.local.gateway_table import COOKIE_ENDS, GATEWAY, LANGUAGE_COOKIE, LANGUAGES, Route, load_table

WEB = GATEWAY / "web"
ERRORS = WEB / "errors"
_BUNDLE = re.compile(r"^assets/bundles/(?:[a-z]+/)?([a-z.-]+)\.(css|js)$")


class Pages(StaticFiles):
    """The static pages in the language of the reader, without ``.html`` in their addresses."""

    def __init__(self) -> None:
        super().__init__(directory=WEB)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the page or file, or the error page for unknown paths."""
        chosen = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[-1]
        language = language_of(scope, chosen)
        response = await self._find(path, language, scope)
        response.headers["Cache-Control"] = "no-cache"
        if chosen in LANGUAGES:
            response.headers.append("Set-Cookie", f"{LANGUAGE_COOKIE}={chosen}; {COOKIE_ENDS}")
        return response

    async def _find(self, path: str, language: str, scope: Scope) -> Response:
        name = "index" if path == "." else path
        if name.split("/")[0] not in (*LANGUAGES, "errors"):
            for candidate in (f"{language}/{name}.html", name, f"{name}.html", _source_of(name)):
                _, found = self.lookup_path(candidate)
                if found is not None and stat.S_ISREG(found.st_mode):
                    return await super().get_response(candidate, scope)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        return Response(error_page("not_found", language), 404, media_type="text/html")


def _source_of(path: str) -> str:
    """Return the source of a bundle, which is served if there is no bundle; other paths are unchanged."""
    return _BUNDLE.sub(r"assets/\2/\1.\2", path)


def language_of(scope: Scope, chosen: str = "") -> str:
    """Return the language of a page: the chosen one, the remembered one, or the first."""
    remembered = cookie_parser(Headers(scope=scope).get("cookie", "")).get(LANGUAGE_COOKIE, "")
    return next((each for each in (chosen, remembered) if each in LANGUAGES), LANGUAGES[0])


def error_page(name: str, language: str) -> bytes:
    """Return the page for an error."""
    return (WEB / language / "errors" / f"{name}.html").read_bytes()


class Gateway:
    """The public gateway: passes listed paths to their services, serves pages, and hides all other paths."""

    def __init__(
        self,
        services: Mapping[str, FastAPI],
        extra: Mapping[str, ASGIApp],
        lifespan: Callable[[], AsyncIterator[None]],
    ) -> None:
        """``services`` by name; ``extra`` by path prefix, for routes of the demonstration.

        ``lifespan`` starts everything behind the gateway, yields once, and stops it.
        """
        self.services = services
        table = load_table()
        self._headers = [(name.lower().encode(), value.encode()) for name, value in table.headers.items()]
        self._routes: list[tuple[Route, ASGIApp]] = [(route, services[route.service]) for route in table.routes]
        self._routes += [(Route(path, path), app) for path, app in extra.items()]
        self._pages = GZipMiddleware(Pages(), minimum_size=1024)
        self.lifespan = asynccontextmanager(lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the start and stop of the server."""
        if scope["type"] == "lifespan":
            await Router(lifespan=lambda _app: self.lifespan())(scope, receive, send)
            return
        await self._choose(scope["path"])(scope, receive, self._with_headers(send))

    def _with_headers(self, send: Send) -> Send:
        """Add the gateway's headers, except those that the console has set: it has no gateway in front of it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", [])
                names = {name for name, _ in own}
                message["headers"] = [*own, *(header for header in self._headers if header[0] not in names)]
            await send(message)

        return send_with_headers

    def _choose(self, path: str) -> ASGIApp:
        for route, app in self._routes:
            if route.matches(path):
                return app
        hidden = any(Route(prefix, "").matches(path) for prefix in ("/api", "/internal"))
        return _not_found if hidden else self._serve_page

    async def _serve_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._pages(scope, receive, send)
        except HTTPException as error:  # a method that pages do not have
            page = error_page("method_not_allowed", language_of(scope))
            await Response(page, error.status_code, error.headers, "text/html")(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    problem = (ERRORS / "not_found.json").read_bytes()
    await Response(problem, 404, media_type="application/problem+json")(scope, receive, send)
