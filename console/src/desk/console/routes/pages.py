"""Renders the pages: Jinja2 with autoescape, Persian digits and Jalali dates."""

from datetime import datetime
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from desk.console.domain.accounts import ROLE_TITLES, UserSession
from desk.console.domain.counter import SOURCE_TITLES
from desk.console.domain.states import STATE_TITLES
from desk.console.routes.dependencies import get_services, root_path
from desk.files.types import FILE_MEGABYTES_MAX
from desk.iran.digits import to_persian
from desk.iran.jalali import MONTHS, format_moment, in_tehran
from desk.iran.offices import HEADQUARTERS, office
from desk.iran.written import pieces

PACKAGE_FOLDER = Path(__file__).parent.parent
FONT = "assets/npm/font.css"
"""Vazirmatn, where gateway/install could get it from npm; otherwise the system's font is used."""
_templates = Jinja2Templates(PACKAGE_FOLDER / "templates")


def _day(at: datetime) -> str:
    day, _ = in_tehran(at)
    return to_persian(f"{day.day} {MONTHS[day.month - 1]} {day.year}")


def _clock(at: datetime) -> str:
    return to_persian(in_tehran(at)[1].strftime("%H:%M"))


def _number(value: float | None) -> str:
    """Format a number with at most one decimal place."""
    if value is None:
        return "—"
    return to_persian(f"{value:.1f}".removesuffix(".0").replace(".", "٫"))


def _size(size: int) -> str:
    return to_persian(
        f"{max(1, round(size / 1024))} کیلوبایت" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} مگابایت"
    )


_templates.env.filters |= {
    "persian": to_persian,
    "moment": format_moment,
    "day": _day,
    "clock": _clock,
    "number": _number,
    "size": _size,
    "pieces": pieces,
    "zip": zip,
}
_templates.env.globals |= {
    "state_titles": STATE_TITLES,
    "source_titles": SOURCE_TITLES,
    "role_titles": ROLE_TITLES,
    "file_megabytes_max": FILE_MEGABYTES_MAX,
    "font": (PACKAGE_FOLDER / FONT).exists(),
}
_templates.env.trim_blocks = True
_templates.env.lstrip_blocks = True


def office_name(key: str) -> str:
    """Return what an office is called within a sentence: its province, or headquarters."""
    found = office(key)
    return found.name if found is HEADQUARTERS else f"استان {found.name}"


def render_page(
    request: Request, template: str, user_session: UserSession | None = None, *, status: int = 200, **values: object
) -> HTMLResponse:
    """Render a page for the owner of a session, or for an unknown caller."""
    context = {
        "root": root_path(request),
        "user_session": user_session,
        "account": user_session.account if user_session else None,
        "office_name": office_name(user_session.account.province) if user_session else None,
        "demonstration": get_services(request).demonstration,
        "error": None,
    }
    return _templates.TemplateResponse(request, template, context | values, status_code=status)
