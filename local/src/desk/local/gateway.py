"""The gateway in the process: the table of ``gateway/routes.toml`` and the pages of ``gateway/web``."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.local.gateway_table import GATEWAY, Route, load_table

ERRORS = GATEWAY / "web" / "errors"


class Pages(StaticFiles):
    """The static pages, without ``.html`` in their addresses."""

    def __init__(self) -> None:
        super().__init__(directory=GATEWAY / "web", html=True)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file, or the page of that name; what tells of an error has no address of its own."""
        if path == "404.html":
            path = "errors/not_found.html"
        elif path.startswith("errors"):
            return "", None
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
        table = load_table()
        self._headers = [(name.lower().encode(), value.encode()) for name, value in table.headers.items()]
        self._routes: list[tuple[Route, ASGIApp]] = [(route, services[route.service]) for route in table.routes]
        self._routes += [(Route(path, path), app) for path, app in extra.items()]
        self._pages = GZipMiddleware(Pages(), minimum_size=1024)
        self.lifespan = asynccontextmanager(lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await Router(lifespan=lambda _app: self.lifespan())(scope, receive, send)
            return
        await self._choose(scope["path"])(scope, receive, self._with_headers(send))

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
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
            page = (ERRORS / "method_not_allowed.html").read_bytes()
            await Response(page, error.status_code, error.headers, "text/html")(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    problem = (ERRORS / "not_found.json").read_bytes()
    await Response(problem, 404, media_type="application/problem+json")(scope, receive, send)
