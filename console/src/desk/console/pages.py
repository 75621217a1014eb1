"""Renders the pages: Jinja2 with autoescape, Persian digits and Jalali dates."""

from datetime import datetime
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from desk.console.domain.accounts import ROLE_TITLES, Visit
from desk.console.domain.cases import STATE_TITLES
from desk.iran.digits import to_persian
from desk.iran.jalali import MONTHS, format_moment, in_tehran
from desk.iran.provinces import province

HERE = Path(__file__).parent
_templates = Jinja2Templates(HERE / "templates")


def _day(at: datetime) -> str:
    day, _ = in_tehran(at)
    return to_persian(f"{day.day} {MONTHS[day.month - 1]} {day.year}")


def _clock(at: datetime) -> str:
    return to_persian(in_tehran(at)[1].strftime("%H:%M"))


def _number(value: float | None) -> str:
    """Write a number with one place after the point, where there is one."""
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
}
_templates.env.globals |= {"state_titles": STATE_TITLES, "role_titles": ROLE_TITLES}
_templates.env.trim_blocks = True
_templates.env.lstrip_blocks = True


def root(request: Request) -> str:
    """Return the path under which the console is served: empty, or that of what it is part of."""
    return str(request.scope.get("root_path", ""))


def page(
    request: Request, template: str, visit: Visit | None = None, *, status: int = 200, **values: object
) -> HTMLResponse:
    """Render a page for a visitor."""
    shown = {
        "root": root(request),
        "visit": visit,
        "account": visit.account if visit else None,
        "province_name": province(visit.account.province).name if visit else None,
        "demonstration": request.app.state.demonstration,
        "error": None,
    }
    return _templates.TemplateResponse(request, template, shown | values, status_code=status)
