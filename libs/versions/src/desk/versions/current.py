"""The version in force: each replica keeps it in memory, and asks the database for later versions."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from desk.database import Database, DatabaseSession
from desk.versions.kinds import C, Kind
from desk.versions.rules import FIRST_VERSION
from desk.versions.store import VersionStore

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 15.0
"""Between two refreshes: with the caches in front of it, a page has a new version within a minute."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

S = TypeVar("S")
"""What a service makes of the content that is valid now."""


class CurrentVersions(ABC, Generic[C, S]):
    """The versions that are in force or approved for later, and what of them is valid now.

    A replica that cannot read the database keeps what it has; before its first reading, that of the package.
    """

    def __init__(
        self, database: Database, kind: Kind[C], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database, self._kind, self._clock = database, kind, clock
        self._upcoming: list[tuple[int, datetime]] = [(FIRST_VERSION, _BEFORE_ALL)]
        self._contents: dict[int, C] = {FIRST_VERSION: kind.first()}
        self._shown: S | None = None
        self._number = FIRST_VERSION
        self._until: datetime | None = None
        self._loaded = False

    @abstractmethod
    def compose(self, number: int, content: C, now: datetime) -> S:
        """Return what the service needs of a version that is in force."""

    def next_change(self, content: C, now: datetime) -> datetime | None:  # noqa: ARG002 - for contents with times
        """Return when the result of :meth:`compose` changes next; None if it stays."""
        return None

    @property
    def number(self) -> int:
        """The number of the version in force."""
        self.get()
        return self._number

    def get(self) -> S:
        """Return what is valid now."""
        if self._shown is None or self._until is not None:
            now = self._clock()
            if self._shown is None or (self._until is not None and self._until <= now):
                return self._compose(now)
        return self._shown

    async def run_once(self) -> None:
        """Read the versions in force or approved for later, and store the first version if there is none.

        Contents that are in memory are not read again.
        """
        try:
            if not await self._refresh():
                async with self._database.transaction() as session:
                    await VersionStore(session, self._kind).add_first()
        except (SQLAlchemyError, OSError, ValueError) as error:
            log.warning("versions are not refreshed", document=self._kind.name, error=type(error).__name__)

    async def require_loaded(self, session: DatabaseSession | None = None) -> None:
        """Read the versions once, before the first use. Raises what the database raises, or ValueError.

        A caller with a session passes it: with a second connection for each, callers could wait for each other.
        """
        if self._loaded:
            return
        if session is None:
            await self._refresh()
        else:
            await self._read(session)

    async def _refresh(self) -> bool:
        async with self._database.read() as session:
            return await self._read(session)

    async def _read(self, session: DatabaseSession) -> bool:
        """Read what is new; return whether there is a version at all."""
        store = VersionStore(session, self._kind)
        upcoming = await store.upcoming(self._clock())
        if upcoming and upcoming != self._upcoming:
            contents = {}
            for number, _ in upcoming:
                known = self._contents.get(number) if number != FIRST_VERSION else None
                contents[number] = known or await store.content(number)
            self._upcoming, self._contents, self._shown = upcoming, contents, None
        self._loaded = True
        return bool(upcoming)

    def _compose(self, now: datetime) -> S:
        number, _ = next((each for each in self._upcoming if each[1] <= now), self._upcoming[-1])
        content = self._contents[number]
        moments = [self.next_change(content, now), *(at for _, at in self._upcoming if at > now)]
        self._number, self._shown = number, self.compose(number, content, now)
        self._until = min((each for each in moments if each is not None), default=None)
        return self._shown
