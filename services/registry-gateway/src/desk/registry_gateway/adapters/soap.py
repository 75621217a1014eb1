"""The civil registry over SOAP 1.1, operation ``getEstelam3``, with HTTP Basic at the bus."""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import httpx
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters import estelam
from desk.registry_gateway.adapters.codes import code_in
from desk.registry_gateway.adapters.http import post
from desk.registry_gateway.domain import FailureKind, UnansweredError, Verdict

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:est="http://est">'
    "<soapenv:Header/><soapenv:Body><est:getEstelam3>"
    "<arg0>{user}</arg0><arg1>{password}</arg1><arg2/><arg3/>"
    "<arg4><birthDate>{birth_date}</birthDate><nin>{nin}</nin></arg4>"
    "</est:getEstelam3></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True, slots=True, repr=False)
class LegacyUser:
    """Credentials in the SOAP body, which older accounts have in addition to those of the bus."""

    name: str = ""
    password: str = ""


class SoapRegistry:
    """Queries the registry through a bus with a SOAP interface."""

    def __init__(self, http: httpx.AsyncClient, url: str, action: str, legacy: LegacyUser) -> None:
        """``http`` has the credentials; ``action`` is sent as the SOAPAction header."""
        self._http = http
        self._url = url
        self._headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        self._legacy = legacy

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Verdict:
        """Look a person up once. Raises UnansweredError."""
        body = _ENVELOPE.format(
            user=escape(self._legacy.name),
            password=escape(self._legacy.password),
            birth_date=birth_date.compact(),
            nin=national_id.value,
        )
        answer = await post(self._http, self._url, body.encode(), self._headers)
        return estelam.read_record(_record(answer), national_id, birth_date)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _record(answer: bytes) -> Mapping[str, object]:
    try:
        root: Element = fromstring(answer, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # the last for an unknown encoding
        raise UnansweredError(FailureKind.DOWN, f"not XML: {type(error).__name__}") from None
    for element in root.iter():
        match _local(element.tag):
            case "return":
                return _fields(element)
            case "Fault":
                raise _fault(element)
    raise UnansweredError(FailureKind.DOWN, "not an answer of getEstelam3")


def _fault(element: Element) -> UnansweredError:
    """Return the error for a SOAP fault, which may contain a code of the registry but never a verdict."""
    texts = [child.text.strip() for child in element.iter() if child.text and child.text.strip()]
    for text in texts:
        found = code_in([text])
        if found is not None and found[0] in {FailureKind.CONFIG, FailureKind.QUOTA, FailureKind.CLOSED_HOURS}:
            return UnansweredError(*found)
    return UnansweredError(FailureKind.DOWN, "SOAP fault")


def _fields(element: Element) -> dict[str, object]:
    fields: dict[str, list[str]] = {}
    for child in element:
        fields.setdefault(_local(child.tag), []).extend(text for text in child.itertext() if text.strip())
    return dict(fields)


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
