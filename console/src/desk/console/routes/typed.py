"""The texts of the forms of a case, of a group answer and of the counter, kept when a form cannot be sent."""

import re
from typing import Annotated

from fastapi import Depends, Request

from desk.console.routes.counter_forms import read_unsent
from desk.console.routes.dependencies import SESSION_COOKIE, get_services, read_cookie
from desk.console.service.drafts import COUNTER, GROUP_ANSWER

TEXTS = ("text", "question", "rejection", "referral", "note")
FIELDS = (*TEXTS, "to_province", "to_subject", "question_days")
LENGTH_MAX = 20_000
"""Characters of a text that are kept; what is too long to be sent is kept too, to be shortened."""
_CASE_FORM = re.compile(r"/cases/(?P<subject>[0-9]{12}|many)/(?:answer|ask|reject|refer|template|note)")
_COUNTER_FORM = re.compile(r"/counter/(?:identity|request|code)")

Typed = dict[str, str]
"""Texts by the name of their field."""


async def read_typed(request: Request) -> Typed:
    """Return the texts of a form; missing ones are empty."""
    form = await request.form()
    values = {name: form.get(name) for name in FIELDS}
    return {name: value[:LENGTH_MAX] if isinstance(value, str) else "" for name, value in values.items()}


TypedDep = Annotated[Typed, Depends(read_typed)]


def form_subject(request: Request) -> str | None:
    """Return the tracking code of a case's form, the name of the group answer or of the counter; otherwise None."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if request.method != "POST":
        return None
    found = _CASE_FORM.fullmatch(path)
    return found["subject"] if found else COUNTER if _COUNTER_FORM.fullmatch(path) else None


def has_text(typed: Typed) -> bool:
    """Return whether something was written."""
    return any(typed.get(name, "").strip() for name in TEXTS)


async def keep_after_expiry(request: Request) -> bool:
    """Keep the texts of a form whose session has expired; return whether something was kept."""
    subject, token = form_subject(request), read_cookie(request, SESSION_COOKIE)
    if subject is None or token is None:
        return False
    typed = await (read_unsent if subject == COUNTER else read_typed)(request)
    written, form_word = typed if subject == COUNTER else has_text(typed), (await request.form()).get("form_word")
    if not written or not isinstance(form_word, str):
        return False
    return await get_services(request).drafts.save_of_expired_session(token, form_word, subject, typed)


__all__ = [
    "COUNTER",
    "FIELDS",
    "GROUP_ANSWER",
    "TEXTS",
    "Typed",
    "TypedDep",
    "form_subject",
    "has_text",
    "keep_after_expiry",
    "read_typed",
]
