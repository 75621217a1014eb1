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
    Challenge,
    Difficulty,
    ExpiredError,
    Kind,
    NoneReadyError,
    NoSoundError,
    Outcome,
    Purpose,
    WrongAnswerError,
    is_id,
    new_id,
    normalize_answer,
    require_offered,
)
from desk.captcha.service.pool import Pool
from desk.captcha.service.work import Work, create_work
from desk.captcha.settings import Settings
from desk.captcha.store import ChallengeStore, Limit
from desk.chassis.rate_limits import source_network

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


class Challenges:
    """Issues challenges and checks answers."""

    def __init__(self, store: ChallengeStore, pool: Pool, settings: Settings, registry: CollectorRegistry) -> None:
        self._store = store
        self._pool = pool
        self._limit = Limit.parse(settings.issue_budget)
        self._work_limit = Limit.parse(settings.work_budget)
        self._difficulty = Difficulty(settings.work_most)
        self._waiting = 0
        self._issued = Counter("desk_captchas_issued", "Challenges issued", ["kind", "purpose"], registry=registry)
        self._answers = Counter("desk_captcha_answers", "Answers by outcome", ["purpose", "outcome"], registry=registry)
        ready = Gauge("desk_captchas_ready", "Challenges made in advance", ["kind"], registry=registry)
        for kind in pool.ready:
            ready.labels(kind).set_function(partial(pool.ready.__getitem__, kind))

    async def issue(self, kind: Kind, purpose: Purpose, source: str) -> Issued:
        """Issue a challenge to a caller at the address ``source``.

        Raises KindUnavailableError, RateLimitExceededError, NoneReadyError or CaptchaUnavailableError.
        """
        require_offered(kind, purpose)
        issue = self._issue_work if kind is Kind.WORK else self._issue_from_pool
        issued = await issue(kind, purpose, source_network(source))
        self._issued.labels(kind, purpose).inc()
        return issued

    async def _issue_from_pool(self, kind: Kind, purpose: Purpose, network: str) -> Issued:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            captcha_id = new_id()
            expires_at = datetime.now(UTC) + LIFE
            try:
                image = await self._store.issue(captcha_id, kind, purpose, network, self._limit)
            except NoneReadyError:
                if time.monotonic() >= deadline or self._waiting >= MAX_WAITING:
                    raise
                await self._wait()
            else:
                self._pool.request_fill()
                return Issued(captcha_id, kind, expires_at, image=image if kind is Kind.IMAGE else None)

    async def _issue_work(self, kind: Kind, purpose: Purpose, network: str) -> Issued:
        recent = await self._store.count_work(network, self._work_limit)
        work = await asyncio.to_thread(create_work, self._difficulty.after(recent))
        issued = Issued(new_id(), kind, datetime.now(UTC) + LIFE, work=work)
        await self._store.add(issued.id, Challenge(purpose, work.answer))
        return issued

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

    async def check_answer(self, captcha_id: str, purpose: Purpose, typed: str, claim: str) -> None:
        """Return if the answer is right and the challenge is used up by ``claim``, now or by an earlier call.

        Raises WrongAnswerError while attempts are left, ExpiredError if a new challenge is needed, or
        CaptchaUnavailableError.
        """
        outcome, left = Outcome.EXPIRED, 0
        if is_id(captcha_id):
            outcome, left = await self._store.check_answer(captcha_id, purpose, normalize_answer(typed), claim)
        self._answers.labels(purpose, outcome).inc()
        match outcome:
            case Outcome.RIGHT:
                return
            case Outcome.WRONG:
                raise WrongAnswerError(left)
            case Outcome.EXPIRED:
                raise ExpiredError(captcha_id[:22])
            case _:
                assert_never(outcome)
