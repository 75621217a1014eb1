"""Issues codes by SMS, each bound to the mobile that gets it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.captcha.clients import CodeToSend, Language, NotifierClient
from desk.captcha.domain import (
    LIFE,
    Challenge,
    CodeNotSentError,
    CodesExhaustedError,
    ExpiredError,
    Kind,
    KindUnavailableError,
    MobileNotIranianError,
    NotYetUsableError,
    Purpose,
    WrongAnswerError,
    new_id,
    require_offered,
)
from desk.captcha.service.challenges import Challenges, Issued
from desk.captcha.settings import Settings
from desk.captcha.store import ChallengeStore
from desk.chassis.problem import ProofExpiredError, ProofRequiredError, ProofWrongError, RateLimitExceededError
from desk.chassis.rate_limits import Attempt, RateLimits, Reservation
from desk.iran.phone import InvalidMobileError, Mobile


@dataclass(frozen=True, slots=True)
class Proof:
    """A solved proof of work, as the caller sent it."""

    id: str
    solution: str


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """Who asks for a code, what for, and for which mobile as it was typed. The code is valid for its purpose only."""

    purpose: Purpose
    mobile: str
    language: Language
    proof: Proof | None
    source: str


class SmsCodes:
    """Issues codes by SMS and has notifier send them."""

    def __init__(
        self,
        challenges: Challenges,
        store: ChallengeStore,
        limits: RateLimits,
        *,
        notifier: NotifierClient | None,
        settings: Settings,
        choose_answer: Callable[[], str],
    ) -> None:
        """Without ``notifier`` no codes are issued."""
        self._challenges = challenges
        self._store = store
        self._limits = limits
        self._notifier = notifier
        self._settings = settings
        self._choose_answer = choose_answer

    async def issue(self, request: CodeRequest) -> Issued:
        """Send a code to a mobile.

        Raises KindUnavailableError, MobileNotIranianError, ProofRequiredError, ProofWrongError, ProofExpiredError,
        CodesExhaustedError, CodeNotSentError or CaptchaUnavailableError.
        """
        require_offered(Kind.SMS, request.purpose)
        if self._notifier is None:
            raise KindUnavailableError("no notifier")
        mobile = _iranian(request.mobile)
        level = await self._level_of(request.proof)
        reservation = await self._reserve(mobile, self._store.source_index(request.source), level)
        return await self._send(self._notifier, CodeToSend(mobile, request.language, request.purpose), reservation)

    async def issue_for_service(self, mobile: str, language: Language) -> Issued:
        """Send a code to a mobile for a service of the desk, which has authenticated and counted its caller.

        Raises as :meth:`issue` does, except the errors of the proof.
        """
        if self._notifier is None:
            raise KindUnavailableError("no notifier")
        mobile = _iranian(mobile)
        code = CodeToSend(mobile, language, Purpose.MOBILE)
        return await self._send(self._notifier, code, await self._reserve_mobile(mobile))

    async def _send(self, notifier: NotifierClient, code: CodeToSend, reservation: Reservation) -> Issued:
        answer, expires_at = self._choose_answer(), datetime.now(UTC) + LIFE
        issued = Issued(new_id(), Kind.SMS, expires_at)
        try:
            await self._store.add(issued.id, Challenge(code.purpose, answer, mobile=code.mobile))
            await notifier.send_code(code, answer, expires_at)
        except CodeNotSentError as error:
            if not error.ambiguous:
                await self._limits.release(reservation)
            raise
        self._challenges.issued.labels(Kind.SMS, code.purpose).inc()
        return issued

    async def _level_of(self, proof: Proof | None) -> int:
        """Use the proof of work up; return its level."""
        if proof is None:
            raise ProofRequiredError("no proof", level=0)
        try:
            return await self._challenges.check_answer(proof.id, Purpose.MOBILE, proof.solution, claim=new_id())
        except (WrongAnswerError, NotYetUsableError):
            raise ProofWrongError from None
        except ExpiredError:
            raise ProofExpiredError from None

    async def _reserve(self, mobile: str, source_index: str, level: int) -> Reservation:
        per_source = Attempt(self._settings.codes_per_source, "sms-codes-source", source_index, proof=True)
        return await self._reserve_mobile(mobile, per_source, level=level)

    async def _reserve_mobile(self, mobile: str, *more: Attempt, level: int = 0) -> Reservation:
        settings, index = self._settings, self._store.mobile_index(mobile)
        try:
            return await self._limits.reserve_all(
                Attempt(settings.codes_per_mobile, "sms-codes-mobile", index),
                Attempt(settings.codes_per_mobile_daily, "sms-codes-mobile", index),
                *more,
                level=level,
            )
        except RateLimitExceededError as error:
            raise CodesExhaustedError(str(error), retry_after=error.retry_after) from None


def _iranian(typed: str) -> str:
    try:
        return Mobile.parse(typed).e164
    except InvalidMobileError:
        raise MobileNotIranianError from None
