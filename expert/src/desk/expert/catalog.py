"""The desk's subjects from its public catalogue; a referral to another subject names one of them."""

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from desk.expert.errors import CatalogUnavailableError
from desk.expert.requests import Titled

TIMEOUT_SECONDS = 10.0


class ExtraField(Titled):
    """A further field of a request. ``kind`` is such as ``text``, ``date`` or ``choice``; other kinds may follow."""

    kind: str
    required: bool = True
    choices: list[Titled] = Field(default_factory=list)


class Document(Titled):
    """A document that belongs to a request, as a file."""

    required: bool = True


class SubSubject(Titled):
    """A kind of request with its further fields and documents."""

    fields: list[ExtraField] = Field(default_factory=list)
    documents: list[Document] = Field(default_factory=list)


class Subject(Titled):
    """A subject with its sub-subjects."""

    sub_subjects: list[SubSubject]


class _Listed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    subjects: list[Subject]


class Catalog:
    """A client of the desk's catalogue."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``url`` is the desk's address."""
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)

    async def subjects(self) -> list[Subject]:
        """List the subjects. Raises CatalogUnavailableError."""
        try:
            answer = (await self._http.get("/api/catalog")).raise_for_status()
            return _Listed.model_validate_json(answer.content).subjects
        except (httpx.HTTPError, ValidationError) as error:
            raise CatalogUnavailableError(type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
