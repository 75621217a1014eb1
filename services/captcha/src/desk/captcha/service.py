"""What the service does: it issues a challenge, and it checks an answer."""

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
    demand_offered,
    household_of,
    is_id,
    new_id,
    written,
)
from desk.captcha.pool import Pool
from desk.captcha.settings import Settings
from desk.captcha.store import Allowance, ChallengeStore
from desk.captcha.work import Work, set_work

PATIENCE_SECONDS = 2.0
"""How long a request waits for an empty pool; nothing is made in the request itself."""

WAITING_AT_MOST = 50
"""How many requests may wait like that at once; whoever comes after them is told to come back."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh challenge, as the person may see it."""

    id: str
    kind: Kind
    expires_at: datetime
    image: bytes | None = None
    work: Work | None = None


class Captchas:
    """Issues challenges and checks answers."""

    def __init__(self, store: ChallengeStore, pool: Pool, settings: Settings, registry: CollectorRegistry) -> None:
        self._store = store
        self._pool = pool
        self._allowance = Allowance.of(settings.issue_budget)
        self._work_allowance = Allowance.of(settings.work_budget)
        self._difficulty = Difficulty(settings.work_most)
        self._waiting = 0
        self._issued = Counter("desk_captchas_issued", "Challenges issued", ["kind", "purpose"], registry=registry)
        self._answers = Counter("desk_captcha_answers", "Answers by outcome", ["purpose", "outcome"], registry=registry)
        ready = Gauge("desk_captchas_ready", "Challenges made ahead of need", ["kind"], registry=registry)
        for kind in pool.ready:
            ready.labels(kind).set_function(partial(pool.ready.__getitem__, kind))

    async def issue(self, kind: Kind, purpose: Purpose, source: str) -> Issued:
        """Put a new challenge to whoever asks from ``source``.

        Raises KindUnavailableError, RateLimitExceededError, NoneReadyError or CaptchaUnavailableError.
        """
        demand_offered(kind, purpose)
        issue = self._set_work if kind is Kind.WORK else self._from_pool
        issued = await issue(kind, purpose, household_of(source))
        self._issued.labels(kind, purpose).inc()
        return issued

    async def _from_pool(self, kind: Kind, purpose: Purpose, household: str) -> Issued:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            captcha_id = new_id()
            expires_at = datetime.now(UTC) + LIFE
            try:
                shown = await self._store.issue(captcha_id, kind, purpose, household, self._allowance)
            except NoneReadyError:
                if time.monotonic() >= deadline or self._waiting >= WAITING_AT_MOST:
                    raise
                await self._wait()
            else:
                self._pool.tell_of_use()
                return Issued(captcha_id, kind, expires_at, image=shown if kind is Kind.IMAGE else None)

    async def _set_work(self, kind: Kind, purpose: Purpose, household: str) -> Issued:
        recent = await self._store.count_work(household, self._work_allowance)
        work = await asyncio.to_thread(set_work, self._difficulty.after(recent))
        issued = Issued(new_id(), kind, datetime.now(UTC) + LIFE, work=work)
        await self._store.add(issued.id, Challenge(purpose, work.answer))
        return issued

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            await self._pool.arrival(PATIENCE_SECONDS / 4)
        finally:
            self._waiting -= 1

    async def sound(self, captcha_id: str) -> bytes:
        """Return the WAV of a spoken challenge, as often as it is asked for. Raises NoSoundError."""
        found = await self._store.sound(captcha_id) if is_id(captcha_id) else None
        if found is None:
            raise NoSoundError(captcha_id[:22])
        return found

    async def check(self, captcha_id: str, purpose: Purpose, typed: str, claim: str) -> None:
        """Return if the answer is right and the challenge is ``claim``'s, now or since an earlier call.

        Raises WrongAnswerError while there are tries left, ExpiredError when a new challenge is needed, or
        CaptchaUnavailableError.
        """
        outcome, left = Outcome.EXPIRED, 0
        if is_id(captcha_id):
            outcome, left = await self._store.answer(captcha_id, purpose, written(typed), claim)
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
