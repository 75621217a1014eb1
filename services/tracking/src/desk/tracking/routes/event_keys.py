"""The public keys for which offices encrypt their reports."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from desk.tracking.routes.dependencies import ServicesDep

router = APIRouter()


class EventKey(BaseModel):
    """A public key as a JWK (RFC 7517); ``kid`` is its RFC 7638 thumbprint."""

    kty: Literal["OKP"]
    crv: Literal["X25519"]
    x: str
    kid: str
    use: Literal["enc"]
    alg: Literal["ECDH-ES+A256KW"]


class EventKeys(BaseModel):
    """A JWK Set. A report is encrypted for every key in it."""

    keys: list[EventKey]


@router.get("/api/event-keys", summary="Public keys for reports of offices")
async def event_keys(response: Response, services: ServicesDep) -> EventKeys:
    """Return the keys for which an office encrypts the data of its reports: for each of them, during a rotation."""
    response.headers["Cache-Control"] = "public, max-age=300"
    keys: list[Any] = services.decryptor.public_keys()
    return EventKeys(keys=keys)
