"""What the service does: it issues a challenge, and it checks an answer."""

from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from desk.captcha.domain import (
    LIFE,
    TRIES,
    Challenge,
    ExpiredError,
    Kind,
    Purpose,
    WrongAnswerError,
    demand_offered,
    is_id,
    new_id,
)
from desk.captcha.pictures import Pictures
from desk.captcha.store import ChallengeStore, within_time
from desk.chassis.budget import Budgets


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh challenge, as the person may see it."""

    id: str
    kind: Kind
    expires_at: datetime
    png: bytes


class Captchas:
    """Issues challenges and checks answers."""

    def __init__(
        self,
        store: ChallengeStore,
        pictures: Pictures,
        budgets: Budgets,
        issue_budget: str,
        registry: CollectorRegistry,
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._budgets = budgets
        self._issue_budget = issue_budget
        self._issued = Counter("desk_captchas_issued", "Challenges issued", ["kind", "purpose"], registry=registry)
        self._answers = Counter("desk_captcha_answers", "Answers by outcome", ["purpose", "outcome"], registry=registry)
        ready = Gauge("desk_captcha_pictures_ready", "Pictures drawn ahead of need", registry=registry)
        ready.set_function(lambda: pictures.ready)

    async def issue(self, kind: Kind, purpose: Purpose, source: str) -> Issued:
        """Put a new challenge to whoever asks from ``source``.

        Raises KindUnavailableError, BudgetExhaustedError or CaptchaUnavailableError.
        """
        demand_offered(kind, purpose)
        await within_time(self._budgets.spend(self._issue_budget, "captcha-issue", source))
        picture = await self._pictures.take()
        issued = Issued(new_id(), kind, datetime.now(UTC) + LIFE, picture.png)
        await self._store.add(issued.id, Challenge(purpose, picture.answer))
        self._issued.labels(kind, purpose).inc()
        return issued

    async def check(self, captcha_id: str, purpose: Purpose, typed: str, claim: str) -> None:
        """Return if the answer is right and the challenge is ``claim``'s, now or since an earlier call.

        Raises WrongAnswerError while there are tries left, ExpiredError when a new challenge is needed, or
        CaptchaUnavailableError.
        """
        outcome = "refused"
        try:
            await self._use(captcha_id, purpose, typed, claim)
            outcome = "right"
        except WrongAnswerError:
            outcome = "wrong"
            raise
        except ExpiredError:
            outcome = "expired"
            raise
        finally:
            self._answers.labels(purpose, outcome).inc()

    async def _use(self, captcha_id: str, purpose: Purpose, typed: str, claim: str) -> None:
        challenge = await self._store.get(captcha_id) if is_id(captcha_id) else None
        if challenge is None or challenge.purpose != purpose:
            raise ExpiredError("unknown, too old or for another purpose")
        right = challenge.is_answered_by(typed)
        if challenge.claim is not None:
            if right and challenge.claim == claim:
                return
            raise ExpiredError("used already")
        tries = await self._store.count_try(
            captcha_id
        )  # before the answer decides anything: parallel guesses count too
        if right and tries <= TRIES:
            if await self._store.claim(captcha_id, claim) == claim:
                return
            raise ExpiredError("another was first")
        if tries >= TRIES:
            raise ExpiredError("no tries left")
        raise WrongAnswerError(TRIES - tries)
