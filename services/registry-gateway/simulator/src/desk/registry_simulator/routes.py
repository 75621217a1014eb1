"""HTTP in: the three ways the real buses are asked, and the knobs."""

import asyncio
import json
import secrets
from collections.abc import Iterator
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
    """How the registry behaves, and how often it was asked since it was told to."""

    knobs: Knobs
    inquiries: int


async def _registry(request: Request) -> SyntheticRegistry:
    registry: SyntheticRegistry = request.app.state.registry
    return registry


async def _is_let_in(request: Request, given: Annotated[HTTPBasicCredentials | None, Depends(_basic)]) -> bool:
    user, password = request.app.state.credentials
    return given is not None and (
        secrets.compare_digest(given.username.encode(), user.encode())
        & secrets.compare_digest(given.password.encode(), password.encode())
    )


Registry = Annotated[SyntheticRegistry, Depends(_registry)]
LetIn = Annotated[bool, Depends(_is_let_in)]


async def _trouble(registry: SyntheticRegistry, let_in: bool) -> Response | None:  # noqa: FBT001 - FastAPI's word
    """Do what the knobs say before there is an answer."""
    if not let_in:
        return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
    failing = registry.fails()
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


def _sent(registry: SyntheticRegistry, text: str, media_type: str) -> Response:
    if registry.knobs.garbage is Garbage.CUT_OFF:
        text = text[: len(text) // 2]
    return Response(text, media_type=media_type)


@router.post("/soap")
async def soap(request: Request, registry: Registry, let_in: LetIn) -> Response:
    """Answer ``getEstelam3`` over SOAP 1.1."""
    if (trouble := await _trouble(registry, let_in)) is not None:
        return trouble
    try:
        asked = {
            _local(each.tag): (each.text or "") for each in fromstring(await request.body(), forbid_dtd=True).iter()
        }
    except (ParseError, DefusedXmlException, ValueError):
        return Response(_ENVELOPE.format(body=_FAULT.format(said="no envelope")), status_code=500, media_type=_XML)
    if "getEstelam3" not in asked:
        return Response(
            _ENVELOPE.format(body=_FAULT.format(said="no such operation")), status_code=500, media_type=_XML
        )
    record = registry.answer(asked.get("nin", ""), asked.get("birthDate", ""))
    fields = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in _texts(record))
    body = f'<ns:getEstelam3Response xmlns:ns="http://est"><return>{fields}</return></ns:getEstelam3Response>'
    return _sent(registry, _ENVELOPE.format(body=body), _XML)


@router.post("/rest")
async def rest(request: Request, registry: Registry, let_in: LetIn) -> Response:
    """Answer ``getEstelam3`` in the JSON wrapper."""
    if (trouble := await _trouble(registry, let_in)) is not None:
        return trouble
    asked = await _json(request)
    record = registry.answer(str(asked.get("nin", "")), str(asked.get("birthDate", "")))
    wrapped = {"result": {"data": {"getEstelam3Response": {"return": record}}, "status": {"statusCode": 200}}}
    return _sent(registry, json.dumps(wrapped), _JSON)


@router.post("/shahkar")
async def shahkar(request: Request, registry: Registry, let_in: LetIn) -> Response:
    """Answer whether a mobile belongs to a national ID."""
    if (trouble := await _trouble(registry, let_in)) is not None:
        return trouble
    asked = await _json(request)
    response = registry.mobile(str(asked.get("identificationNo", "")), str(asked.get("serviceNumber", "")))
    return _sent(registry, json.dumps({"response": response, "requestId": asked.get("requestId")}), _JSON)


@control.get("/control")
async def show(registry: Registry) -> ControlView:
    """Show the knobs."""
    return ControlView(knobs=registry.knobs, inquiries=registry.inquiries)


@control.put("/control")
async def turn(knobs: Knobs, registry: Registry) -> ControlView:
    """Turn the knobs, those not named to where they are by themselves; counting begins anew."""
    registry.turn(knobs)
    return await show(registry)


async def _json(request: Request) -> dict[str, Any]:
    try:
        asked = json.loads(await request.body())
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _texts(record: Record) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, str(each)


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
