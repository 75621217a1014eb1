"""The use cases: say who somebody is by the registry's word, within rate_limits, with every look-up in the ledger."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from prometheus_client import Counter

from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.telemetry import Telemetry
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.clients import CaptchaClient
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
    kind_of,
    neighbourhood_of,
)
from desk.registry_gateway.ledger import Ledger
from desk.registry_gateway.line.mobiles import MobileLine
from desk.registry_gateway.line.registry import RegistryLine
from desk.registry_gateway.rate_limits import LookupBudgets
from desk.registry_gateway.store import Seen

ISSUER = "registry-gateway"
AUDIENCE = "desk.identity"

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
    """A person the registry has confirmed, and the token that says so for a while."""

    identity: Identity
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PendingIdentity:
    """A number and a birth date that the registry could not confirm now, and the token that binds them."""

    reason: Reason
    available_at: datetime | None
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs identity tokens."""

    issuer: TokenIssuer
    seconds: int

    def issue(self, claims: Mapping[str, str]) -> tuple[str, datetime]:
        """Return a token and when it ends."""
        token, expires = self.issuer.issue(claims, audience=AUDIENCE, seconds=self.seconds)
        return token, datetime.fromtimestamp(expires, UTC)


class RegistryDoor:
    """The only door to the civil registry."""

    def __init__(
        self,
        *,
        registry: RegistryLine,
        mobiles: MobileLine | None,
        ledger: Ledger,
        rate_limits: LookupBudgets,
        captcha: CaptchaClient | None,
        vault: Vault,
        tokens: Tokens,
        telemetry: Telemetry,
    ) -> None:
        """Without ``captcha`` no proof of work is asked for; without ``mobiles`` whose a mobile is stays unknown."""
        self._registry = registry
        self._mobiles = mobiles
        self._ledger = ledger
        self._budgets = rate_limits
        self._captcha = captcha
        self._vault = vault
        self._tokens = tokens
        self._lookups = Counter(
            "desk_registry_lookups",
            "Look-ups by what came of them",
            ["purpose", "outcome"],
            registry=telemetry.registry,
        )

    async def identify(
        self, number: Number, birth_date: JalaliDate, source: str, proof: Proof | None
    ) -> ProvenIdentity | PendingIdentity:
        """Look a person up for the caller at address ``source`` and issue an identity token.

        Raises ProofMissingError, ProofWrongError, ProofExpiredError, RateLimitExceededError, IdentityNotMatchedError,
        IdentityDeceasedError, IdentityReferredError, or ServiceUnavailableError when a part of the desk is away.
        """
        await self._demand_proof(proof)
        answer = await self._look_up_for(source, number, birth_date)
        match answer:
            case Matched(identity):
                return ProvenIdentity(identity, *self._tokens.issue(_claims(identity)))
            case Unavailable(reason, until):
                token = self._tokens.issue(_pending_claims(number, birth_date))
                return PendingIdentity(reason, until, *token)
            case NotMatched():
                raise IdentityNotMatchedError
            case Deceased():
                raise IdentityDeceasedError
            case Referred():
                raise IdentityReferredError
            case _:
                assert_never(answer)

    async def _demand_proof(self, proof: Proof | None) -> None:
        if self._captcha is None:
            return
        if proof is None:
            raise ProofMissingError
        await self._captcha.demand(proof.id, proof.solution)

    async def _look_up_for(self, source: str, number: Number, birth_date: JalaliDate) -> Answer:
        number_index = self._number_index(number)
        source_index = self._vault.index(neighbourhood_of(source), "source")
        paid = await self._budgets.pay(number_index, source_index)
        answer: Answer | None = None
        missed = True  # whoever goes away before the answer has paid for it
        try:
            answer = await self._registry.look_up(number, birth_date)
            missed = isinstance(answer, NotMatched | Referred)
        except Exception:
            missed = False
            raise
        finally:
            recorded = self._record(Purpose.SUBMIT, answer, number_index, source_index)
            if missed:
                await asyncio.gather(recorded, self._budgets.charge(paid))
            else:
                self._budgets.release(paid)
                await recorded
        return answer

    async def confirm(self, number: Number, birth_date: JalaliDate) -> Answer:
        """Look a person up for a request that was accepted unconfirmed. Raises ServiceUnavailableError."""
        answer: Answer | None = None
        try:
            answer = await self._registry.look_up(number, birth_date)
        finally:
            await self._record(Purpose.CONFIRM, answer, self._number_index(number))
        return answer

    async def lookups(self, number: Number) -> list[Seen]:
        """List when a person's record was looked up and for what, newest first."""
        return await self._ledger.newest(self._number_index(number))

    async def owner(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Return whether a mobile belongs to a national ID; unknown where that is not asked."""
        if self._mobiles is None:
            return MobileOwner.UNKNOWN
        owner = MobileOwner.UNKNOWN
        try:
            owner = await self._mobiles.owner(national_id, mobile)
        finally:
            await self._write(Purpose.MOBILE, _MOBILE_OUTCOMES[owner], self._number_index(national_id), "")
        return owner

    async def _record(self, purpose: Purpose, answer: Answer | None, number_index: str, source_index: str = "") -> None:
        """Put a look-up into the ledger, unless the registry was known beforehand to give no answer."""
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


def _claims(identity: Identity) -> Mapping[str, str]:
    return _bound(identity.national_id, identity.birth_date, "matched") | {
        "first_name": identity.first_name,
        "last_name": identity.last_name,
        "gender": identity.gender,
    }


def _pending_claims(number: Number, birth_date: JalaliDate) -> Mapping[str, str]:
    return _bound(number, birth_date, "pending")


def _bound(number: Number, birth_date: JalaliDate, status: str) -> dict[str, str]:
    return {
        "sub": number.value,
        "id_kind": kind_of(number),
        "birth_date": birth_date.isoformat(),
        "status": status,
    }
