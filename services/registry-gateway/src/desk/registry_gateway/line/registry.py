"""The civil registry as the door sees it: it always has an answer, and one answer may be that there is none now."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from desk.chassis.crypto import Vault
from desk.iran.foreign_code import ForeignCode
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters import Registry
from desk.registry_gateway.domain import Answer, Klass, Matched, Number, Reason, UnansweredError, Unavailable
from desk.registry_gateway.line.call import Line
from desk.registry_gateway.line.hours import OpeningHours, next_day
from desk.registry_gateway.line.notes import Notes, QuotaUsedUpError

log = structlog.get_logger(__name__)

ASK_AGAIN_AFTER = timedelta(minutes=15)
"""How long a registry that says it is closed within its hours is left alone."""


class RegistryLine:
    """Asks the registry within its hours, its quota and our patience; equal look-ups in flight are one call."""

    def __init__(self, registry: Registry, line: Line, notes: Notes, hours: OpeningHours, vault: Vault) -> None:
        self._registry = registry
        self._line = line
        self._notes = notes
        self._hours = hours
        self._vault = vault
        self._in_flight: dict[str, asyncio.Task[Answer]] = {}
        self._closed_until: tuple[datetime, datetime] | None = None

    async def look_up(self, number: Number, birth_date: JalaliDate) -> Answer:
        """Look a pair up. Raises ServiceUnavailableError when the desk's own Redis is away."""
        if isinstance(number, ForeignCode):
            return Unavailable(Reason.FOREIGN)
        # Said before anything is looked for: whoever is asked about, the answer and the time to it are the same.
        if (known := self._known_unavailable(datetime.now(UTC))) is not None:
            return known
        key = self._vault.index(f"{number.value} {birth_date.compact()}", "registry match")
        call = self._in_flight.get(key)
        if call is None:
            call = self._in_flight[key] = asyncio.create_task(self._ask(key, number, birth_date))
            call.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(call)

    def _known_unavailable(self, now: datetime) -> Unavailable | None:
        if (opening := self._hours.closed_until(now)) is not None:
            return Unavailable(Reason.CLOSED, opening)
        if self._closed_until is not None and now < self._closed_until[0]:
            return Unavailable(Reason.CLOSED, self._closed_until[1])
        return None if self._line.breaker.would_let_through else Unavailable(Reason.UNREACHABLE)

    async def _ask(self, key: str, national_id: NationalId, birth_date: JalaliDate) -> Answer:
        now = datetime.now(UTC)
        try:
            known = await self._notes.known_or_ask(key, now, trusting=self._line.breaker.closed)
            if known is not None:
                return known
            answer = await self._line.call(lambda: self._registry.look_up(national_id, birth_date))
        except QuotaUsedUpError:
            return self._over_quota(now)
        except UnansweredError as error:
            return await self._unanswered(error, now)
        if isinstance(answer, Matched):
            await self._notes.remember(key, answer)
        return answer

    async def _unanswered(self, error: UnansweredError, now: datetime) -> Unavailable:
        match error.klass:
            case Klass.QUOTA:
                await self._notes.end_quota(now)
                return replace(self._over_quota(now), asked=True)
            case Klass.CLOSED_HOURS:
                opening = self._hours.next_opening(now)
                self._closed_until = (now + ASK_AGAIN_AFTER, opening)
                return Unavailable(Reason.CLOSED, opening, asked=True)
            case _:
                return Unavailable(Reason.UNREACHABLE, asked=True)

    def _over_quota(self, now: datetime) -> Unavailable:
        tomorrow = next_day(now)
        return Unavailable(Reason.QUOTA, self._hours.closed_until(tomorrow) or tomorrow)

    def _forget(self, key: str, done: asyncio.Task[Answer]) -> None:
        self._in_flight.pop(key, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.warning("look-up ended without an answer", error=type(error).__name__)  # everybody may have gone away

    async def close(self) -> None:
        """End what is in flight and give the connections back."""
        calls = list(self._in_flight.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await self._registry.close()
        await self._notes.close()
