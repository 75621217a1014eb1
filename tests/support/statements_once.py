"""Compiles SQL statements once in a process, although each test has a database of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache

from desk.database import database

CACHED_MAX = 2_000
"""Statements of all services on one kind of database; those of production are a few hundred for each."""


class SharedStatements:
    """The compiled statements of all databases of one kind. SQLAlchemy's cache has them for one engine."""

    def __init__(self) -> None:
        self._compiled: LRUCache[Any, Any] = LRUCache(CACHED_MAX)

    def get(self, key: tuple[Any, ...]) -> Any:
        return self._compiled.get(key[1:])  # the first is the engine's dialect, which is the same in all of them

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._compiled[key[1:]] = compiled


@contextmanager
def statements_compiled_once() -> Iterator[None]:
    """Let all databases of one kind share their compiled statements, a tenth of the time of a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("sqlite_engine", "postgres_engine"):
            patch.setattr(database, name, _sharing(getattr(database, name), SharedStatements()))
        yield


def _sharing(create: Callable[..., AsyncEngine], shared: SharedStatements) -> Callable[..., AsyncEngine]:
    def create_sharing(*given: Any) -> AsyncEngine:
        return create(*given).execution_options(compiled_cache=shared)

    return create_sharing
