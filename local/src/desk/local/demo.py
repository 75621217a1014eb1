"""The demonstration: synthetic people, messages that would have been sent, and the routes of an expert; only here."""

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, StringConstraints
from starlette.staticfiles import StaticFiles

from desk.chassis.crypto import Vault
from desk.console.domain.errors import ConsoleError
from desk.console.store.cases import CaseRecord
from desk.database import Database
from desk.intake.routes.downloads import DownloadResponse
from desk.intake.service.case_files import CaseFiles
from desk.iran.digits import to_persian
from desk.iran.jalali import format_moment
from desk.local import kit
from desk.local.console import Console
from desk.local.gateway_table import WORDS
from desk.local.office import DevelopedOffice, SampleRequests
from desk.local.registry import SwitchedRegistry
from desk.notifier.store import ShownMessage, list_messages
from desk.registry_gateway.adapters.simulator import people

LISTED = 200
_OUTCOMES = {
    "applied": "انجام شد",
    "repeated": "تکراری بود و اثری نداشت",
    "refused": "پذیرفته نشد",
    "set aside": "کنار گذاشته شد",
    "waiting": "در انتظار",
}

_templates = Jinja2Templates(Path(__file__).parent / "templates")
_templates.env.filters |= {"persian": to_persian, "moment": format_moment}
router = APIRouter(prefix="/demo")


class Answer(BaseModel):
    """An expert's answer to one request."""

    tracking_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    text: str


@dataclass(frozen=True, slots=True)
class Messages:
    """Reads the messages that the notifier would have sent."""

    database: Database
    vault: Vault

    async def newest(self, tracking_code: str | None) -> list[ShownMessage]:
        """Return the newest messages, of one request or of all."""
        async with self.database.transaction() as session:
            return await list_messages(session, self.vault, limit=100, tracking_code=tracking_code)


def add_to(app: FastAPI) -> None:
    """Add the demonstration's routes."""
    app.add_exception_handler(ConsoleError, _refuse)
    app.include_router(router)
    app.include_router(kit.router)
    app.mount("/demo/assets", StaticFiles(directory=Path(__file__).parent / "assets"))


@router.get("/people")
async def show_people(request: Request) -> Response:
    """List the synthetic people of the registry simulator."""
    rows = [
        {
            "national_id": person.identity.national_id.value,
            "birth_date": person.identity.birth_date.isoformat(),
            "first_name": person.identity.first_name,
            "last_name": person.identity.last_name,
            "gender": person.identity.gender,
            "deceased": person.deceased,
        }
        for person in people()
    ]
    if not _wants_page(request):
        return JSONResponse(rows)
    return _page(request, "people.html", people=rows, answers=_registry(request).answers)


@router.post("/registry")
async def switch_registry(request: Request, answers: Annotated[bool, Form()]) -> Response:
    """Switch the civil registry on or off, to show how the desk works without it."""
    _registry(request).answers = answers
    return RedirectResponse("/demo/people", status_code=303)


@router.get("/messages")
async def show_messages(request: Request, tracking_code: str | None = None) -> Response:
    """Show what would have been sent by SMS and email, newest first."""
    messages: Messages = request.app.state.messages
    newest = await messages.newest(tracking_code)
    if _wants_page(request):
        return _page(request, "messages.html", messages=newest)
    return JSONResponse([_json(asdict(message)) for message in newest])


@router.get("/requests")
async def show_requests(request: Request, province: str | None = None) -> list[dict[str, Any]]:
    """List the requests that have reached a province, newest first."""
    return [_case_json(known) for known in await _console(request).experts.newest(province, LISTED)]


@router.post("/answers", status_code=202)
async def answer(request: Request, answer: Answer) -> dict[str, str]:
    """Answer a request as the experts of its province would."""
    console = _console(request)
    expert = await console.account_for(answer.tracking_code)
    await console.experts.answer(expert, answer.tracking_code, answer.text)
    return {"tracking_code": answer.tracking_code}


@router.post("/questions", status_code=202)
async def ask(request: Request, question: Answer) -> dict[str, str]:
    """Ask the applicant something as the experts of the request's province would."""
    console = _console(request)
    expert = await console.account_for(question.tracking_code)
    await console.experts.ask(expert, question.tracking_code, question.text)
    return {"tracking_code": question.tracking_code}


@router.get("/office")
async def show_office(request: Request) -> Response:
    """Show the settings of the office that is being developed, and what became of each of its reports."""
    office = _office(request)
    reports = office.reports.newest if office else []
    if not _wants_page(request):
        return JSONResponse([_json(asdict(report)) for report in reports])
    values = {"office": office, "reports": reports, "advice": _advice(), "names": _OUTCOMES}
    return _page(request, "office.html", **values, sent=request.query_params.get("sent"))


@router.post("/office/requests")
async def send_sample(request: Request) -> Response:
    """Send a sample request to the office that is being developed."""
    office = _office(request)
    if office is None:
        return JSONResponse({"title": "start the desk with --amqp"}, 404)
    samples: SampleRequests = request.app.state.samples
    code = await samples.send(office.key)
    if not _wants_page(request):
        return JSONResponse({"tracking_code": code}, 201)
    return RedirectResponse(f"/demo/office?sent={code}", status_code=303)


@router.get("/files/{file_id}")
async def file(request: Request, file_id: str) -> DownloadResponse:
    """Return a file of a request, decrypted."""
    files: CaseFiles = request.app.state.files
    return DownloadResponse(await files.open_any(file_id))


def _console(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


def _office(request: Request) -> DevelopedOffice | None:
    office: DevelopedOffice | None = request.app.state.office
    return office


def _advice() -> dict[str, str]:
    words = tomllib.loads((WORDS / "fa.toml").read_text(encoding="utf-8"))
    reasons: dict[str, str] = words["contract"]["reasons"]
    return reasons


def _registry(request: Request) -> SwitchedRegistry:
    registry: SwitchedRegistry = request.app.state.registry
    return registry


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _page(request: Request, template: str, **values: object) -> HTMLResponse:
    return _templates.TemplateResponse(request, template, values, headers={"Cache-Control": "no-store"})


def _json(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def _case_json(record: CaseRecord) -> dict[str, Any]:
    whole = record.request.model_dump(mode="json") if record.request else {}
    return {**whole, "answered": not record.case.open, "refused": record.case.refused, "state": record.case.state}


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    """Return the console's refusal as a problem of the desk."""
    if not isinstance(error, ConsoleError):
        raise error
    problem = {"type": "about:blank", "title": error.title, "status": error.status, "code": error.code}
    return JSONResponse(problem, error.status, media_type="application/problem+json")
