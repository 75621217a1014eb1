"""Asks a service in the process for its health and metrics, which it serves on a port of their own."""

import httpx
from fastapi import FastAPI


async def get_health(service: FastAPI | httpx.AsyncClient, path: str) -> httpx.Response:
    """Return the answer of a service's port for health; ``service`` is its app, or a client of the app."""
    app = service._transport.app if isinstance(service, httpx.AsyncClient) else service  # type: ignore[attr-defined]  # noqa: SLF001 - httpx hides it
    transport = httpx.ASGITransport(app.state.health)
    async with httpx.AsyncClient(transport=transport, base_url="http://health") as client:
        return await client.get(path)
