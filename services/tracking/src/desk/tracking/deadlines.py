"""Looks for cases whose time has run out: late answers, and decided cases that nobody can object to any more."""

import asyncio
from contextlib import suppress

import structlog
from prometheus_client import Counter

from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.tracking.service import Alarms

log = structlog.get_logger(__name__)

BATCH = 50
PAUSE_SECONDS = 30.0


class Deadlines:
    """Rings for each case once, whoever looks. Any number may run at once: each takes cases that no other holds."""

    def __init__(self, database: Database, alarms: Alarms, telemetry: Telemetry) -> None:
        self._database = database
        self._alarms = alarms
        self._rung = Counter(
            "desk_cases_run_out",
            "Cases whose time has run out, by their state then",
            ["state"],
            registry=telemetry.registry,
        )
        self._finishing = asyncio.Event()

    def finish(self) -> None:
        """End after the batch that is under way."""
        self._finishing.set()

    async def run(self) -> None:
        """Look twice a minute until :meth:`finish`; errors of the database end the call."""
        while not self._finishing.is_set():
            if await self.look() < BATCH:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await self._finishing.wait()

    async def look(self) -> int:
        """Ring for up to 50 cases in one transaction; return how many there were."""
        async with self._database.transaction() as session:
            office = self._alarms.office
            found = await office.cases(session).run_out(office.clock(), BATCH)
            for case, request in found:
                await self._alarms.ring(session, case, request)
        for case, _ in found:
            self._rung.labels(case.state.value).inc()
        if found:
            log.info("time has run out", cases=len(found))
        return len(found)
