"""The gateway in the process: the routes of ``gateway/routes.toml`` and the pages of ``gateway/web``."""

import os
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHECKOUT = Path(__file__).resolve().parents[4]
GATEWAY = CHECKOUT / "gateway"

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src blob:; worker-src 'self'; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Route:
    """A public path and the service behind it."""

    path: str
    service: str

    def matches(self, path: str) -> bool:
        """Tell whether a request's path is this one or lies below it."""
        return path == self.path or path.startswith(f"{self.path}/")


def load_routes() -> tuple[Route, ...]:
    """Read the table the gateway is made from."""
    table = tomllib.loads((GATEWAY / "routes.toml").read_text(encoding="utf-8"))
    return tuple(Route(row["path"], row["service"]) for row in table["route"])


class Pages(StaticFiles):
    """The static pages, without ``.html`` in their addresses."""

    def __init__(self) -> None:
        super().__init__(directory=GATEWAY / "web", html=True)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file, or the page of that name."""
        full_path, found = super().lookup_path(path)
        return (full_path, found) if found or "." in path else super().lookup_path(f"{path}.html")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with the file, or with the page that says there is none."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Gateway:
    """One public door: passes listed paths to their services, serves pages, hides everything else."""

    def __init__(
        self,
        services: Mapping[str, FastAPI],
        extra: Mapping[str, ASGIApp],
        lifespan: Callable[[], AsyncIterator[None]],
    ) -> None:
        """``services`` by name; ``extra`` by path prefix, for what exists only here (the demonstration).

        ``lifespan`` starts everything behind the door, yields once, and stops it.
        """
        self.services = services
        self._routes: list[tuple[Route, ASGIApp]] = [(route, services[route.service]) for route in load_routes()]
        self._routes += [(Route(path, path), app) for path, app in extra.items()]
        self._pages = GZipMiddleware(Pages(), minimum_size=1024)
        self.lifespan = asynccontextmanager(lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await Router(lifespan=lambda _app: self.lifespan())(scope, receive, send)
            return
        await self._choose(scope["path"])(scope, receive, _with_security_headers(send))

    def _choose(self, path: str) -> ASGIApp:
        for route, app in self._routes:
            if route.matches(path):
                return app
        return _not_found if path.startswith(("/api/", "/internal/")) else self._serve_page

    async def _serve_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._pages(scope, receive, send)
        except HTTPException as error:  # a method that pages do not have
            await JSONResponse({"status": error.status_code}, error.status_code)(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    problem = {
        "type": "/problems/not_found",
        "title": "چنین نشانی‌ای وجود ندارد.",
        "status": 404,
        "code": "not_found",
        "errors": [],
    }
    await JSONResponse(problem, 404, media_type="application/problem+json")(scope, receive, send)


def _with_security_headers(send: Send) -> Send:
    headers = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return send_with_headers
