"""Settings for every test.

Examples of Hypothesis have no deadline: no test depends on the speed of the machine. SQLite does not wait for the disk.
Routes of FastAPI and statements of SQLAlchemy are prepared once, not for the app and the database of each test.
Slow folders come first, so that no worker is still busy with one of them when the others have ended.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings

settings.register_profile("no-deadline", parent=settings(), deadline=None)
settings.load_profile("no-deadline")

SLOW_FOLDERS = ("expert-kit/", "tests/browser/", "tests/story/", "tests/gateway/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort tests by folder. The order within a folder stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW_FOLDERS))


@pytest.fixture(scope="session", autouse=True)
def _unsynchronized_sqlite() -> Iterator[None]:
    """Let SQLite commit without waiting for the disk: no test cuts the power."""
    engines = sys.modules.get("desk.database.engines")  # it is not imported for this alone
    with pytest.MonkeyPatch.context() as patch:
        if engines is not None:
            kept = [each for each in engines.SQLITE_PRAGMAS if not each.startswith("synchronous")]
            patch.setattr(engines, "SQLITE_PRAGMAS", (*kept, "synchronous=OFF"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _prepared_once() -> Iterator[None]:
    """Let all apps and databases of a run share what libraries prepare for routes and statements."""
    with ExitStack() as stack:
        if "fastapi.routing" in sys.modules:
            from support.routes_once import routes_built_once  # noqa: PLC0415 - it imports FastAPI

            stack.enter_context(routes_built_once())
        if "desk.database.database" in sys.modules:
            from support.statements_once import statements_compiled_once  # noqa: PLC0415 - it imports SQLAlchemy

            stack.enter_context(statements_compiled_once())
        yield
