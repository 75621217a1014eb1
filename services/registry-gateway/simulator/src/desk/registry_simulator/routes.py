"""The routes: the three interfaces of the real buses, and the control of the knobs."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel

from desk.registry_simulator.knobs import Garbage, Knobs
from desk.registry_simulator.registry import Record, SyntheticRegistry

_XML, _JSON = "text/xml; charset=utf-8", "application/json"
_ENDLESS = b" " * 1_000_000
_ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><Envelope><return><message>&j;</message></return></Envelope>"
)
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
)
_FAULT = "<soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>{said}</faultstring></soapenv:Fault>"
_basic = HTTPBasic(auto_error=False)

router = APIRouter()
control = APIRouter()


class ControlView(BaseModel):
    """The knobs, and the number of inquiries since they were set."""

    knobs: Knobs
    inquiries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What ``create_app`` built, in ``app.state.services``."""

    registry: SyntheticRegistry
    user: str
    password: str


async def get_services(request: Request) -> Services:
    """Return the app's services."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def _is_authorized(services: ServicesDep, given: Annotated[HTTPBasicCredentials | None, Depends(_basic)]) -> bool:
    return given is not None and (
        secrets.compare_digest(given.username.encode(), services.user.encode())
        & secrets.compare_digest(given.password.encode(), services.password.encode())
    )


async def _registry(services: ServicesDep) -> SyntheticRegistry:
    return services.registry


Registry = Annotated[SyntheticRegistry, Depends(_registry)]
Authorized = Annotated[bool, Depends(_is_authorized)]


async def _find_failure(registry: SyntheticRegistry, *, authorized: bool) -> Response | None:
    """Return the response that replaces the answer, after the delay of the knobs; None if there is to be an answer."""
    if not authorized:
        return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
    failing = registry.count_call()
    if registry.knobs.delay_seconds:
        await asyncio.sleep(registry.knobs.delay_seconds)
    if failing:
        fault = _ENVELOPE.format(body=_FAULT.format(said="internal error"))
        return Response(fault, status_code=500, media_type=_XML)
    match registry.knobs.garbage:
        case Garbage.HTML:
            return Response("<html><body>Service is temporarily out of order<br></body></html>", media_type="text/html")
        case Garbage.ENDLESS:
            return Response(_ENDLESS, media_type=_XML)
        case Garbage.ENTITIES:
            return Response(_ENTITIES, media_type=_XML)
        case _:
            return None


def _response(registry: SyntheticRegistry, text: str, media_type: str) -> Response:
    if registry.knobs.garbage is Garbage.CUT_OFF:
        text = text[: len(text) // 2]
    return Response(text, media_type=media_type)


@router.post("/soap")
async def soap(request: Request, registry: Registry, authorized: Authorized) -> Response:
    """Answer ``getEstelam3`` over SOAP 1.1."""
    if (failure := await _find_failure(registry, authorized=authorized)) is not None:
        return failure
    try:
        fields = {
            _local(each.tag): (each.text or "") for each in fromstring(await request.body(), forbid_dtd=True).iter()
        }
    except (ParseError, DefusedXmlException, ValueError):
        return Response(_ENVELOPE.format(body=_FAULT.format(said="no envelope")), status_code=500, media_type=_XML)
    if "getEstelam3" not in fields:
        return Response(
            _ENVELOPE.format(body=_FAULT.format(said="no such operation")), status_code=500, media_type=_XML
        )
    record = registry.answer(fields.get("nin", ""), fields.get("birthDate", ""))
    elements = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in _texts(record))
    body = f'<ns:getEstelam3Response xmlns:ns="http://est"><return>{elements}</return></ns:getEstelam3Response>'
    return _response(registry, _ENVELOPE.format(body=body), _XML)


@router.post("/rest")
async def rest(request: Request, registry: Registry, authorized: Authorized) -> Response:
    """Answer ``getEstelam3`` in the JSON wrapper."""
    if (failure := await _find_failure(registry, authorized=authorized)) is not None:
        return failure
    fields = await _json(request)
    record = registry.answer(str(fields.get("nin", "")), str(fields.get("birthDate", "")))
    wrapped = {"result": {"data": {"getEstelam3Response": {"return": record}}, "status": {"statusCode": 200}}}
    return _response(registry, json.dumps(wrapped), _JSON)


@router.post("/shahkar")
async def shahkar(request: Request, registry: Registry, authorized: Authorized) -> Response:
    """Answer whether a mobile belongs to a national ID."""
    if (failure := await _find_failure(registry, authorized=authorized)) is not None:
        return failure
    fields = await _json(request)
    response = registry.mobile(str(fields.get("identificationNo", "")), str(fields.get("serviceNumber", "")))
    return _response(registry, json.dumps({"response": response, "requestId": fields.get("requestId")}), _JSON)


@control.get("/control")
async def show(registry: Registry) -> ControlView:
    """Return the knobs."""
    return ControlView(knobs=registry.knobs, inquiries=registry.inquiries)


@control.put("/control")
async def turn(knobs: Knobs, registry: Registry) -> ControlView:
    """Set the knobs, the missing ones to their defaults, and count inquiries from 0."""
    registry.set_knobs(knobs)
    return await show(registry)


async def _json(request: Request) -> dict[str, Any]:
    try:
        fields = json.loads(await request.body())
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _texts(record: Record) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, str(each)


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
