"""The use cases: issue a challenge, return its sound, check an answer."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import assert_never

from prometheus_client import CollectorRegistry, Counter, Gauge

from desk.captcha.domain import (
    LIFE,
    CaptchaUnavailableError,
    Challenge,
    Checked,
    ExpiredError,
    Kind,
    NoneReadyError,
    NoSoundError,
    NotYetUsableError,
    Outcome,
    Purpose,
    WrongAnswerError,
    delay_of,
    is_id,
    new_id,
    normalize_answer,
    require_offered,
    whole_second_after,
)
from desk.captcha.service.pool import Pool
from desk.captcha.service.work import Work, create_work
from desk.captcha.settings import Settings
from desk.captcha.store import ChallengeStore
from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.rate_limits import RateLimits, Reservation

WAIT_SECONDS = 2.0
"""How long a request waits while the pool is empty; no challenge is made in the request itself."""

MAX_WAITING = 50
"""How many requests may wait at the same time; further ones are refused."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new challenge, as the applicant may see it."""

    id: str
    kind: Kind
    expires_at: datetime
    image: bytes | None = None
    work: Work | None = None
    usable_at: datetime | None = None
    """When a proof of work is accepted; None if at once."""


class Challenges:
    """Issues challenges and checks answers."""

    def __init__(
        self,
        store: ChallengeStore,
        pool: Pool,
        limits: RateLimits,
        settings: Settings,
        registry: CollectorRegistry,
    ) -> None:
        self._store = store
        self._pool = pool
        self._limits = limits
        self._settings = settings
        self._waiting = 0
        self.issued = Counter("desk_captchas_issued", "Challenges issued", ["kind", "purpose"], registry=registry)
        self._answers = Counter("desk_captcha_answers", "Answers by outcome", ["purpose", "outcome"], registry=registry)
        ready = Gauge("desk_captchas_ready", "Challenges made in advance", ["kind"], registry=registry)
        for kind in pool.ready:
            ready.labels(kind).set_function(partial(pool.ready.__getitem__, kind))

    async def issue(self, kind: Kind, purpose: Purpose, source: str, level: int = 0) -> Issued:
        """Issue a challenge to a caller at the address ``source``; ``level`` is the level of a proof of work.

        Raises KindUnavailableError, RateLimitExceededError, NoneReadyError or CaptchaUnavailableError.
        """
        require_offered(kind, purpose)
        source_index = self._store.source_index(source)
        if kind is Kind.WORK:
            issued = await self._issue_work(purpose, source_index, level)
        else:
            issued = await self._issue_from_pool(kind, purpose, source_index)
        self.issued.labels(kind, purpose).inc()
        return issued

    async def _issue_from_pool(self, kind: Kind, purpose: Purpose, source_index: str) -> Issued:
        reservation = await self._reserve(self._settings.issue_budget, "codes", source_index)
        try:
            return await self._take(kind, purpose)
        except NoneReadyError:
            await self._limits.release(reservation)
            raise

    async def _take(self, kind: Kind, purpose: Purpose) -> Issued:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            captcha_id = new_id()
            expires_at = datetime.now(UTC) + LIFE
            try:
                image, left = await self._store.issue(captcha_id, kind, purpose)
            except NoneReadyError:
                if time.monotonic() >= deadline or self._waiting >= MAX_WAITING:
                    raise
                await self._wait()
            else:
                self._pool.taken(kind, left)
                return Issued(captcha_id, kind, expires_at, image=image if kind is Kind.IMAGE else None)

    async def _issue_work(self, purpose: Purpose, source_index: str, level: int) -> Issued:
        await self._reserve(self._settings.work_budget, "work", source_index)
        work = await asyncio.to_thread(create_work, self._settings.work_most * 2**level)
        now = datetime.now(UTC)
        usable_at = whole_second_after(now + delay_of(level)) if level else None
        issued = Issued(new_id(), Kind.WORK, now + LIFE, work=work, usable_at=usable_at)
        await self._store.add(issued.id, Challenge(purpose, work.answer, level, usable_at))
        return issued

    async def _reserve(self, limit: str, name: str, source_index: str) -> Reservation:
        try:
            return await self._limits.reserve(limit, name, source_index)
        except ServiceUnavailableError as error:
            raise CaptchaUnavailableError(str(error)) from error

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            await self._pool.wait_until_filled(WAIT_SECONDS / 4)
        finally:
            self._waiting -= 1

    async def find_sound(self, captcha_id: str) -> bytes:
        """Return the WAV of a spoken challenge; the call may be repeated. Raises NoSoundError."""
        found = await self._store.find_sound(captcha_id) if is_id(captcha_id) else None
        if found is None:
            raise NoSoundError(captcha_id[:22])
        return found

    async def check_answer(
        self, captcha_id: str, purpose: Purpose, typed: str, claim: str, mobile: str | None = None
    ) -> int:
        """Return the level of the challenge if the answer is right and uses it up for ``claim``, now or before.

        A code by SMS is only right for the ``mobile`` (E.164) that got it.
        Raises WrongAnswerError while attempts are left, NotYetUsableError, ExpiredError if a new challenge is needed,
        or CaptchaUnavailableError.
        """
        checked = Checked(Outcome.EXPIRED)
        if is_id(captcha_id):
            checked = await self._store.check_answer(captcha_id, purpose, normalize_answer(typed), claim, mobile)
        self._answers.labels(purpose, checked.outcome).inc()
        match checked.outcome:
            case Outcome.RIGHT:
                return checked.level
            case Outcome.WRONG:
                raise WrongAnswerError(checked.attempts_left)
            case Outcome.EARLY:
                raise NotYetUsableError(retry_after=checked.wait_seconds)
            case Outcome.EXPIRED:
                raise ExpiredError(captcha_id[:22])
            case _:
                assert_never(checked.outcome)
