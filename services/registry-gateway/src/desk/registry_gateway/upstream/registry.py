"""The client of the civil registry, which returns an answer even while the registry is unavailable."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from desk.chassis.crypto import Vault
from desk.iran.foreign_code import ForeignCode
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters import Registry
from desk.registry_gateway.domain import Answer, FailureKind, Matched, Number, Reason, UnansweredError, Unavailable
from desk.registry_gateway.upstream.cache import LookupCache, QuotaUsedUpError
from desk.registry_gateway.upstream.client import ResilientClient
from desk.registry_gateway.upstream.hours import OpeningHours, next_day

log = structlog.get_logger(__name__)

CLOSED_PAUSE = timedelta(minutes=15)
"""How long no call is made after the registry reported, within its opening hours, that it is closed."""


class RegistryClient:
    """Looks pairs up within the registry's hours and quota. Equal look-ups in flight share one call."""

    def __init__(
        self, registry: Registry, client: ResilientClient, cache: LookupCache, hours: OpeningHours, vault: Vault
    ) -> None:
        self._registry = registry
        self._client = client
        self._cache = cache
        self._hours = hours
        self._vault = vault
        self._in_flight: dict[str, asyncio.Task[Answer]] = {}
        self._closed_until: tuple[datetime, datetime] | None = None

    async def look_up(self, number: Number, birth_date: JalaliDate) -> Answer:
        """Look a pair up. Raises ServiceUnavailableError if the desk's own Redis is unavailable.

        A caller that is cancelled does not cancel the call, because other callers may wait for it too.
        """
        if isinstance(number, ForeignCode):
            return Unavailable(Reason.FOREIGN)
        # Checked before the cache, so that neither the answer nor its time depends on the number.
        if (unavailable := self._find_outage(datetime.now(UTC))) is not None:
            return unavailable
        key = self._vault.index(f"{number.value} {birth_date.compact()}", "registry match")
        call = self._in_flight.get(key)
        if call is None:
            call = self._in_flight[key] = asyncio.create_task(self._query(key, number, birth_date))
            call.add_done_callback(lambda done: self._remove(key, done))
        return await asyncio.shield(call)

    def _find_outage(self, now: datetime) -> Unavailable | None:
        if (opening := self._hours.closed_until(now)) is not None:
            return Unavailable(Reason.CLOSED, opening)
        if self._closed_until is not None and now < self._closed_until[0]:
            return Unavailable(Reason.CLOSED, self._closed_until[1])
        return None if self._client.breaker.would_allow_call else Unavailable(Reason.UNREACHABLE)

    async def _query(self, key: str, national_id: NationalId, birth_date: JalaliDate) -> Answer:
        now = datetime.now(UTC)
        try:
            cached = await self._cache.find_or_count(key, now, use_cache=self._client.breaker.closed)
            if cached is not None:
                return cached
            answer = await self._client.call(lambda: self._registry.look_up(national_id, birth_date))
        except QuotaUsedUpError:
            return self._quota_used_up(now)
        except UnansweredError as error:
            return await self._on_failure(error, now)
        if isinstance(answer, Matched):
            await self._cache.store(key, answer)
        return answer

    async def _on_failure(self, error: UnansweredError, now: datetime) -> Unavailable:
        match error.kind:
            case FailureKind.QUOTA:
                await self._cache.mark_quota_used_up(now)
                return replace(self._quota_used_up(now), asked=True)
            case FailureKind.CLOSED_HOURS:
                opening = self._hours.next_opening(now)
                self._closed_until = (now + CLOSED_PAUSE, opening)
                return Unavailable(Reason.CLOSED, opening, asked=True)
            case _:
                return Unavailable(Reason.UNREACHABLE, asked=True)

    def _quota_used_up(self, now: datetime) -> Unavailable:
        tomorrow = next_day(now)
        return Unavailable(Reason.QUOTA, self._hours.closed_until(tomorrow) or tomorrow)

    def _remove(self, key: str, done: asyncio.Task[Answer]) -> None:
        self._in_flight.pop(key, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            # Logged here because all callers may have disconnected.
            log.warning("look-up failed", error=type(error).__name__)

    async def close(self) -> None:
        """Cancel the calls in flight and close the connections."""
        calls = list(self._in_flight.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await self._registry.close()
