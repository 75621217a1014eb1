"""The log of a service in tests: as operators see it, or plain where a test provokes many errors."""

import io
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from desk.security.logs import configure_logging


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Return a function that returns the log so far, from level DEBUG, in the format that operators see."""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    root = logging.getLogger()
    handlers, level, raising, style = root.handlers, root.level, logging.raiseExceptions, structlog.get_config()
    configure_logging("json", "DEBUG")
    # A logger that is cached now would write in this format in later tests too.
    structlog.configure(**structlog.get_config() | {"cache_logger_on_first_use": False})
    yield log.getvalue
    root.handlers, logging.raiseExceptions = handlers, raising
    root.setLevel(level)
    structlog.configure(**style)


def use_plain_log() -> None:
    """Log without structlog's formatted tracebacks, which take seconds each."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
