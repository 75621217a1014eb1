"""The log of a program: known fields only, and nothing that could be personal in them.

Personal data reaches a log in three ways: as a field that was added without thought, within the text of an exception,
and within a line of a library. So only fields of :data:`FIELDS` are written; exceptions are written as their types and
stack, with the text of our own ones only; and in every text long numbers, addresses and letters that are not ASCII,
such as Persian names, are replaced. The host and port of an address with a scheme stay: operators need to know which
other system failed.
"""

import logging
import re
import sys
import traceback
from collections import deque
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, cast

import structlog

FIELDS = frozenset(
    {
        *("timestamp", "level", "logger", "event", "exception", "stack", "service", "request_id", "trace_id"),
        *("dropped_fields", "method", "route", "status", "ms", "code", "reason", "fields", "error", "what", "worker"),
        *("type", "event_id", "seq", "queue", "to", "bytes", "attempts", "rows", "per_second", "report", "state"),
        *("object", "missing", "in_time", "peer", "cases", "province", "waiting", "refusal"),
        *("provider", "trouble", "message_id", "requeued", "channel", "template", "outcome", "tries"),
        *("certificate", "files", "messages", "recorded"),
        *("source", "most", "purpose", "row_hash", "registry", "action", "actor", "subject", "key_id", "count"),
    }
)
"""The fields of a line. Another one is dropped, and its name is listed in ``dropped_fields``."""
TEXT_LENGTH = 500
_OUR_MODULES = "desk."
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*)://(\S+)|\S+@\S+|\S+\?\S*=\S*")
_AUTHORITY = re.compile(r"([^/?#]*)(.*)", re.DOTALL)
_HOST = re.compile(r"(?i)([a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_IP_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|\[.*")
_ENCODED = re.compile(r"(\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})+")
_NUMBER = re.compile(r"\+?[0-9]([ ()._/\n-]?[0-9]){6,}")
_PLAIN = re.compile(r"[A-Za-z ,._/{}-]{1,200}[0-9]?", re.ASCII)
"""Most texts, such as the names of events and routes: nothing that the expressions above find."""
_IDENTIFIER = re.compile(
    r"(?=[0-9]*[a-f])[0-9a-f]{12,64}"  # a hash
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID
    r"|\d{4}-\d\d-\d\dT[0-9:.]{8,15}(Z|\+00:00)",
    re.ASCII,
)
_QUIET_LIBRARIES = ("httpx", "httpcore", "aiosqlite", "aiormq", "urllib3", "minio")
"""They log whole URLs, and statements with their parameters."""

Event = MutableMapping[str, Any]
RECENT_MAX = 100


class _RecentLines(logging.Handler):
    """Keeps the last warnings and errors as they were written to the log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: deque[str] = deque(maxlen=RECENT_MAX)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


_recent = _RecentLines()


def recent_lines() -> list[str]:
    """Return the last warnings and errors of this process as lines of JSON, the oldest first."""
    return list(_recent.lines)


_handler = logging.StreamHandler()
_renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
_json = structlog.processors.JSONRenderer()
_LEVELS = logging.getLevelNamesMapping()
_RECENT_METHODS = frozenset({"warning", "error", "critical"})


class _Logger:
    """Writes lines that are complete to the stream of the handler, as :meth:`logging.StreamHandler.emit` would.

    A record of :mod:`logging` would take longer than all of the rest. The level is that of the logger with this name.
    """

    def __init__(self, name: str = "desk") -> None:
        self.name = name
        self._levels = logging.getLogger(name)

    def writes(self, level: int) -> bool:
        """Return whether lines of this level are written."""
        return self._levels.isEnabledFor(level)

    def write(self, line: str) -> None:
        """Write one line. Nothing is raised if it cannot be written: a request does not fail by its log."""
        with suppress(OSError, ValueError):
            _handler.stream.write(f"{line}\n")

    debug = info = warning = error = critical = write


def configure_logging(style: Literal["json", "console"] = "json", level: str = "INFO") -> None:
    """Write every log line, including the libraries', to standard error in one format."""
    global _handler, _renderer  # noqa: PLW0603 - loggers are cached, and a process has one log
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
    ]
    structlog.configure(
        processors=[_require_level, *shared, _keep_known_fields, _render],
        logger_factory=_Logger,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=True,
    )
    _renderer = _json if style == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    _handler = logging.StreamHandler(sys.stderr)
    _handler.setFormatter(_formatter(shared, _renderer))
    _recent.setFormatter(_formatter(shared, _json))
    root = logging.getLogger()
    root.handlers = [_handler, _recent]
    root.setLevel(level)
    logging.raiseExceptions = False  # the dump of a failed log call repeats its arguments
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter(shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _keep_known_fields, renderer],
    )


def _require_level(logger: _Logger, method: str, event: Event) -> Event:
    if not logger.writes(_LEVELS[method.upper()]):
        raise structlog.DropEvent
    return event


def _render(logger: object, method: str, event: Event) -> str:
    """Return a line, and keep it if it is a warning or an error."""
    if method in _RECENT_METHODS:
        _recent.lines.append(str(_json(logger, method, dict(event))))
    return str(_renderer(logger, method, event))


def safe_text(text: str) -> str:
    """Return a text without long numbers, addresses, queries and letters that are not ASCII, and not too long."""
    if _PLAIN.fullmatch(text) or _IDENTIFIER.fullmatch(text):
        return text
    text = _ENCODED.sub("?", _NOT_ASCII.sub("?", text[: TEXT_LENGTH * 4]))
    safe, at = "", 0
    for found in _ADDRESS.finditer(text):
        safe += _NUMBER.sub("…", text[at : found.start()])
        safe += f"{found[1]}://{_host(found[2])}" if found[1] else "…"
        at = found.end()
    return (safe + _NUMBER.sub("…", text[at:]))[:TEXT_LENGTH]


def _host(address: str) -> str:
    """Return host and port of an address after its scheme, and a sign for the rest; only the sign if it is unclear."""
    authority, rest = cast("re.Match[str]", _AUTHORITY.fullmatch(address)).groups()
    found = _HOST.match(authority.rpartition("@")[2])
    if found is None or "@" in rest or (_NUMBER.search(found[1]) and not _IP_ADDRESS.fullmatch(found[1])):
        return "…"
    return found[0] + ("/…" if rest else "")


def _keep_known_fields(_logger: object, _name: str, event: Event) -> Event:
    kept = {key: _safe(key, value) for key, value in event.items() if key in FIELDS}
    if dropped := sorted(event.keys() - FIELDS):
        kept["dropped_fields"] = [safe_text(name) for name in dropped]
    return kept


def _safe(key: str, value: object) -> object:
    """Return a value that may be written: texts made safe, and objects by the name of their type."""
    match value:
        case None | bool() | int() | float():
            return value
        case str() if key in {"exception", "timestamp", "level", "logger"}:
            return value
        case str():
            return safe_text(str(value))
        case list() | tuple() | set() | frozenset():
            return [_safe(key, each) for each in value]
        case Mapping():
            return {safe_text(str(name)): _safe(key, each) for name, each in value.items()}
        case _:
            return type(value).__name__


def _describe_exception(_logger: object, _name: str, event: Event) -> Event:
    """Replace ``exc_info`` by the types of the exceptions and the lines of code, without any value."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "".join(_lines(error))
    return event


def _lines(error: BaseException) -> list[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = [*_lines(cause), "\nwhich led to:\n\n"] if cause is not None else []
    within = [line for each in getattr(error, "exceptions", ()) for line in _lines(each)]
    return [*before, *_stack(error.__traceback__), f"{_name(error)}\n", *within]


def _stack(trace: TracebackType | None) -> list[str]:
    return [f"  {each.filename}:{each.lineno} in {each.name}\n" for each in traceback.extract_tb(trace)]


def is_ours(error: BaseException) -> bool:
    """Return whether the class of an exception is one of the desk, whose text may be logged."""
    return type(error).__module__.startswith(_OUR_MODULES)


def _name(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {safe_text(str(error))}" if is_ours(error) else name
