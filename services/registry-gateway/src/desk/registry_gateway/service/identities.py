"""The use cases: identify an applicant, confirm a pair, list look-ups, check a mobile. Every look-up is recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from prometheus_client import Counter

from desk.chassis.captcha import CaptchaClient
from desk.chassis.crypto import Vault
from desk.chassis.rate_limits import source_network
from desk.chassis.telemetry import Telemetry
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.domain import (
    Answer,
    Deceased,
    Identity,
    IdentityDeceasedError,
    IdentityNotMatchedError,
    IdentityReferredError,
    Lookup,
    Matched,
    MobileOwner,
    NotMatched,
    Number,
    Outcome,
    ProofMissingError,
    Purpose,
    Reason,
    Referred,
    Unavailable,
)
from desk.registry_gateway.service.guard import LookupGuard
from desk.registry_gateway.service.ledger import Ledger
from desk.registry_gateway.service.office_limits import OfficeLimits
from desk.registry_gateway.service.tokens import IdentityTokens
from desk.registry_gateway.service.verdicts import VerdictLimit
from desk.registry_gateway.store import Seen
from desk.registry_gateway.upstream import MobileClient, RegistryClient

_MOBILE_OUTCOMES = {
    MobileOwner.MATCH: Outcome.MOBILE_MATCHED,
    MobileOwner.MISMATCH: Outcome.MOBILE_MISMATCHED,
    MobileOwner.UNKNOWN: Outcome.UNANSWERED,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """A solved challenge of the captcha service."""

    id: str
    solution: str


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """A person that the registry has confirmed, with an identity token."""

    identity: Identity
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PendingIdentity:
    """A number and a birth date that the registry could not confirm now, with a token that binds them."""

    reason: Reason
    available_at: datetime | None
    token: str
    expires_at: datetime


class IdentityService:
    """Makes all look-ups in the civil registry and in the register of mobiles."""

    def __init__(
        self,
        *,
        registry: RegistryClient,
        mobiles: MobileClient | None,
        ledger: Ledger,
        guard: LookupGuard,
        verdicts: VerdictLimit,
        office_limits: OfficeLimits,
        captcha: CaptchaClient,
        proof_required: bool,
        vault: Vault,
        tokens: IdentityTokens,
        telemetry: Telemetry,
    ) -> None:
        """``proof_required`` is about every look-up. Without ``mobiles`` the owner of a mobile is unknown."""
        self._registry = registry
        self._mobiles = mobiles
        self._ledger = ledger
        self._guard = guard
        self._verdicts = verdicts
        self._office_limits = office_limits
        self._captcha = captcha
        self._proof_required = proof_required
        self._vault = vault
        self._tokens = tokens
        self._lookups = Counter(
            "desk_registry_lookups", "Look-ups", ["purpose", "outcome"], registry=telemetry.registry
        )

    async def identify(
        self, number: Number, birth_date: JalaliDate, source: str, proof: Proof | None
    ) -> ProvenIdentity | PendingIdentity:
        """Look a person up for an applicant at the address ``source``, and issue an identity token.

        Raises ProofMissingError, ProofWrongError, ProofExpiredError, ProofRequiredError with the level that is needed,
        RateLimitExceededError, IdentityNotMatchedError, IdentityDeceasedError, IdentityReferredError, or
        ServiceUnavailableError if captcha or Redis is unavailable.
        """
        level = await self._level_of(proof)
        return self._conclude(await self._look_up_for(source, number, birth_date, level), number, birth_date)

    async def identify_for_office(
        self, number: Number, birth_date: JalaliDate, office: str
    ) -> ProvenIdentity | PendingIdentity:
        """Look a person up for an expert of an office, and issue an identity token for this office.

        Raises RateLimitExceededError, IdentityNotMatchedError, IdentityDeceasedError, IdentityReferredError, or
        ServiceUnavailableError if Redis is unavailable.
        """
        reservation = await self._office_limits.reserve(office)
        number_index = self._number_index(number)
        answer: Answer | None = None
        try:
            looked_up = self._look_up(number, birth_date, number_index)
            answer = await _release_unless_mismatched(looked_up, lambda: self._office_limits.release(reservation))
        finally:
            await self._record(Purpose.COUNTER, answer, number_index, self._vault.index(office, "office"))
        return self._conclude(answer, number, birth_date, office)

    def _conclude(
        self, answer: Answer, number: Number, birth_date: JalaliDate, office: str = ""
    ) -> ProvenIdentity | PendingIdentity:
        match answer:
            case Matched(identity):
                return ProvenIdentity(identity, *self._tokens.issue_matched(identity, office))
            case Unavailable(reason, until):
                return PendingIdentity(reason, until, *self._tokens.issue_pending(number, birth_date, office))
            case NotMatched():
                raise IdentityNotMatchedError
            case Deceased():
                raise IdentityDeceasedError
            case Referred():
                raise IdentityReferredError
            case _:
                assert_never(answer)

    async def _level_of(self, proof: Proof | None) -> int:
        """Return the level of the caller's proof of work, 0 without one if none is required."""
        if proof is not None:
            return await self._captcha.check_answer(proof.id, proof.solution)
        if self._proof_required:
            raise ProofMissingError
        return 0

    async def _look_up_for(self, source: str, number: Number, birth_date: JalaliDate, level: int) -> Answer:
        number_index = self._number_index(number)
        source_index = self._vault.index(source_network(source), "source")
        reservation = await self._guard.reserve(number_index, source_index, level)
        answer: Answer | None = None
        try:
            looked_up = self._look_up(number, birth_date, number_index)
            answer = await _release_unless_mismatched(looked_up, lambda: self._guard.release(reservation))
        finally:
            self._guard.end(source_index)
            await self._record(Purpose.SUBMIT, answer, number_index, source_index)
        return answer

    async def _look_up(self, number: Number, birth_date: JalaliDate, number_index: str) -> Answer:
        """Ask the registry, unless the number has had its mismatches of the day."""
        verdict = await self._verdicts.reserve(number_index)
        if isinstance(verdict, Unavailable):
            return verdict
        looked_up = self._registry.look_up(number, birth_date)
        return await _release_unless_mismatched(looked_up, lambda: self._verdicts.release(verdict))

    async def confirm(self, number: Number, birth_date: JalaliDate) -> Answer:
        """Look a pair up for a request that was accepted unconfirmed. Raises ServiceUnavailableError."""
        answer: Answer | None = None
        number_index = self._number_index(number)
        try:
            answer = await self._look_up(number, birth_date, number_index)
        finally:
            await self._record(Purpose.CONFIRM, answer, number_index)
        return answer

    async def list_lookups(self, number: Number) -> list[Seen]:
        """List when a person was looked up and for what purpose, newest first."""
        return await self._ledger.list_newest(self._vault.indexes(number.value, "national_id"))

    async def check_mobile(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Return whether a mobile belongs to a national ID; unknown if mobiles are not checked here."""
        if self._mobiles is None:
            return MobileOwner.UNKNOWN
        owner = MobileOwner.UNKNOWN
        try:
            owner = await self._mobiles.check_owner(national_id, mobile)
        finally:
            await self._write(Purpose.MOBILE, _MOBILE_OUTCOMES[owner], self._number_index(national_id), "")
        return owner

    async def _record(self, purpose: Purpose, answer: Answer | None, number_index: str, source_index: str = "") -> None:
        """Record a look-up in the ledger, unless no call was made because the registry was known to be unavailable."""
        if answer is None:
            await self._write(purpose, Outcome.UNANSWERED, number_index, source_index)
        elif isinstance(answer, Unavailable) and not answer.asked:
            self._lookups.labels(purpose, answer.reason).inc()
        else:
            await self._write(purpose, answer.outcome, number_index, source_index)

    async def _write(self, purpose: Purpose, outcome: Outcome, number_index: str, source_index: str) -> None:
        self._lookups.labels(purpose, outcome).inc()
        await self._ledger.record(Lookup(datetime.now(UTC), purpose, number_index, source_index, outcome))

    def _number_index(self, number: Number) -> str:
        return self._vault.index(number.value, "national_id")


async def _release_unless_mismatched(looked_up: Awaitable[Answer], release: Callable[[], Awaitable[None]]) -> Answer:
    """Return the answer of a look-up, and release its reservation unless the answer is a mismatch.

    A call that is cancelled before its answer, because the caller has disconnected, counts as a mismatch.
    """
    mismatched = True
    try:
        answer = await looked_up
        mismatched = isinstance(answer, NotMatched | Referred)
    except Exception:
        mismatched = False
        raise
    finally:
        if not mismatched:
            await release()
    return answer
