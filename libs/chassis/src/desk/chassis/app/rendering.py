"""Renders every error as RFC 9457 problem details."""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from starlette.exceptions import HTTPException

from desk.chassis.problem import DomainError, FieldError, ProofRequiredError, ServiceUnavailableError

log = structlog.get_logger(__name__)

_INVALID_STATUS = 422
_TYPE_BASE = "/problems/"

_STORE_UNAVAILABLE = (ConnectionError, RedisConnectionError, RedisTimeoutError, TimeoutError, socket.gaierror)
"""From Redis, or from any driver that cannot connect in time or cannot resolve the server's name."""


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details: ``title`` is for people (Persian), ``code`` for programs (stable, English)."""

    model_config = ConfigDict(json_schema_extra={"description": "RFC 9457 problem details"})

    type: str
    title: str
    status: int
    code: str
    errors: list[FieldProblem] = []
    level: int | None = Field(default=None, description="With `proof_required`: the level of the proof of work")


def problems(*errors: type[DomainError]) -> dict[int | str, dict[str, object]]:
    """Return a route's error responses for OpenAPI: one per status, with the codes it may contain."""
    codes: dict[int | str, list[str]] = {_INVALID_STATUS: ["validation_failed"]}
    for error in errors:
        codes.setdefault(error.status, []).append(error.code)
    return {
        status: {"model": Problem, "description": ", ".join(f"`{code}`" for code in codes[status])}
        for status in sorted(codes, key=str)
    }


def render_problems(app: FastAPI) -> None:
    """Register handlers that render every error as problem details, and describe them in the app's OpenAPI document."""
    app.add_exception_handler(DomainError, _render_domain_error)  # type: ignore[arg-type]  # Starlette's type is too wide
    app.add_exception_handler(RequestValidationError, _render_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _render_http_error)  # type: ignore[arg-type]
    for error in _STORE_UNAVAILABLE:
        app.add_exception_handler(error, render_unavailable_store)
    app.openapi = partial(_openapi, app, app.openapi)  # type: ignore[method-assign]  # FastAPI's documented way


def _openapi(app: FastAPI, generate: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Generate the OpenAPI document with the media type of problem details, where FastAPI would write plain JSON.

    It also has the errors of a body that is refused before a route gets it.
    """
    if app.openapi_schema is None:
        for method, operation in _operations(generate()):
            for status, response in operation["responses"].items():
                if status >= "4" and "application/json" in response.get("content", {}):
                    response["content"] = {"application/problem+json": response["content"]["application/json"]}
            if method == "post":
                operation["responses"] = _with_body_errors(operation["responses"])
    return generate()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document.get("paths", {}).values():
        yield from path.items()


_BODY_ERRORS = {"400": "bad_request", "408": "body_too_slow", "413": "body_too_large"}


def _with_body_errors(responses: dict[str, Any]) -> dict[str, Any]:
    """Return the responses of an operation together with those to an unreadable, slow or large body."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    merged = dict(responses)
    for status, code in _BODY_ERRORS.items():
        known = merged.get(status, {"content": content})
        codes = [*filter(None, [known.get("description")]), f"`{code}`"]
        merged[status] = {**known, "description": ", ".join(codes)}
    return dict(sorted(merged.items()))


def _problem(
    status: int,
    code: str,
    title: str,
    errors: Sequence[FieldError] = (),
    *,
    retry_after: int | None = None,
    level: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = Problem(
        type=f"{_TYPE_BASE}{code}",
        title=title,
        status=status,
        code=code,
        errors=[FieldProblem(field=error.field, code=error.code, message=error.message) for error in errors],
        level=level,
    )
    sent = {**(headers or {}), "Cache-Control": "no-store"}
    if retry_after is not None:
        sent["Retry-After"] = str(retry_after)
    return JSONResponse(body.model_dump(exclude_none=True), status, sent, media_type="application/problem+json")


async def _render_domain_error(_request: Request, error: DomainError) -> JSONResponse:
    log.info("refused", code=error.code, reason=str(error))
    level = error.level if isinstance(error, ProofRequiredError) else None
    return _problem(error.status, error.code, error.title, error.errors, retry_after=error.retry_after, level=level)


_INVALID_TITLE = "برخی از خانه‌ها درست پر نشده‌اند. لطفاً موارد زیر را اصلاح کنید."
_INVALID_MESSAGES = {
    "missing": "این مورد لازم است.",
    "string_too_short": "این متن کوتاه‌تر از اندازهٔ لازم است.",
    "string_too_long": "این متن بلندتر از اندازهٔ مجاز است.",
    "json_invalid": "قالب داده‌های فرستاده‌شده درست نیست.",
}


async def _render_invalid(_request: Request, invalid: RequestValidationError) -> JSONResponse:
    errors = [_field_error(part) for part in invalid.errors()]
    log.info("refused", code="validation_failed", fields=[f"{error.field}:{error.code}" for error in errors])
    return _problem(_INVALID_STATUS, "validation_failed", _INVALID_TITLE, errors)


def _field_error(part: dict[str, object]) -> FieldError:
    location = part["loc"]
    path = [str(step) for step in location[1:]] if isinstance(location, tuple) else []
    cause = _cause(part)
    if isinstance(cause, FieldRuleError):
        return FieldError(".".join(path), cause.code, cause.message)
    kind = str(part["type"])
    if kind == "json_invalid":  # the path is an offset in the body, not a field
        path = []
    return FieldError(".".join(path), kind, _INVALID_MESSAGES.get(kind, "این مقدار پذیرفتنی نیست."))


def _cause(part: dict[str, object]) -> object:
    context = part.get("ctx")
    return context.get("error") if isinstance(context, dict) else None


class FieldRuleError(ValueError):
    """Raised by a field's validator: a stable code and a Persian sentence for the applicant."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


_HTTP_TITLES = {
    404: "چنین نشانی‌ای وجود ندارد.",
    405: "این روش برای این نشانی پذیرفته نیست.",
    408: "فرستادن داده‌ها بیش از اندازه طول کشید. لطفاً اتصال اینترنت خود را بررسی و دوباره تلاش کنید.",
    413: "اندازهٔ دادهٔ فرستاده‌شده بیش از حد مجاز است.",
    400: "درخواست فرستاده‌شده خوانا نیست.",
}


async def _render_http_error(_request: Request, error: HTTPException) -> JSONResponse:
    codes = {
        400: "bad_request",
        404: "not_found",
        405: "method_not_allowed",
        408: "body_too_slow",
        413: "body_too_large",
    }
    return _problem(
        error.status_code,
        codes.get(error.status_code, "http_error"),
        _HTTP_TITLES.get(error.status_code, "درخواست پذیرفته نشد."),
        headers=error.headers,
    )


async def render_unavailable_store(_request: Request, error: Exception) -> JSONResponse:
    """Return the response to an error that means that a store is unavailable."""
    log.error("store unavailable", error=type(error).__name__)
    unavailable = ServiceUnavailableError()
    return _problem(unavailable.status, unavailable.code, unavailable.title, retry_after=unavailable.retry_after)


def unexpected() -> JSONResponse:
    """Return the response to an unexpected error; the log has the details."""
    return _problem(500, "internal_error", "خطایی در سامانه رخ داد. لطفاً کمی بعد دوباره تلاش کنید.")
