"""The design system: every component in every state, with the styles and scripts of the public pages."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.templating import Jinja2Templates

from desk.iran.provinces import PROVINCES

router = APIRouter()
_templates = Jinja2Templates(Path(__file__).parent / "templates")


@router.get("/demo/kit")
@router.get("/kit", include_in_schema=False)
async def show_kit(request: Request) -> Response:
    """Show every component in every state."""
    return _templates.TemplateResponse(
        request, "kit.html", {"provinces": PROVINCES}, headers={"Cache-Control": "no-store"}
    )
