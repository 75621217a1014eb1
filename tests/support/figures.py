"""Reads figures from a running desk, as an office does."""

from typing import Any

from support.real_desk import RealDesk

from desk.chassis.crypto import TokenIssuer


def read_figures(desk: RealDesk, office: str, **query: str) -> dict[str, Any]:
    """Return the response to an office's call."""
    issuer = TokenIssuer(desk.office_signing_keys[office][0], office)
    token, _ = issuer.issue({}, audience="desk.figures", seconds=60)
    headers = {"Authorization": f"Bearer {token}"}
    response = desk.client.get("/api/office/figures", headers=headers, params=query)
    found: dict[str, Any] = response.raise_for_status().json()
    return found
