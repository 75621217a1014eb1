"""The use case: prove who somebody is by the registry's word, within budgets, with every look-up on record."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never
from weakref import WeakValueDictionary

import structlog

from desk.chassis.budget import Budgets
from desk.chassis.crypto import TokenIssuer, Vault
from desk.chassis.db import Database
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters import Registry
from desk.registry_gateway.domain import (
    Answer,
    Deceased,
    Identity,
    IdentityDeceasedError,
    IdentityNotMatchedError,
    Lookup,
    Matched,
    NotMatched,
    Outcome,
    Purpose,
)
from desk.registry_gateway.store import LookupStore

log = structlog.get_logger(__name__)

ISSUER = "registry-gateway"
AUDIENCE = "desk.identity"


@dataclass(frozen=True, slots=True)
class Allowances:
    """How often the registry may be asked, each in the form ``5/10 minutes``."""

    mismatches_per_source: str
    mismatches_per_number: str
    lookups_per_source: str
    lookups_per_number: str


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """A person the registry has confirmed, and the token that says so for a while."""

    identity: Identity
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asks about which number, as keyed hashes: neither counters nor audit ever see the values."""

    number_index: str
    source_index: str


class RegistryDoor:
    """The only door to the civil registry."""

    def __init__(
        self,
        *,
        registry: Registry,
        database: Database,
        budgets: Budgets,
        allowances: Allowances,
        vault: Vault,
        issuer: TokenIssuer,
        token_seconds: int,
    ) -> None:
        self._registry = registry
        self._database = database
        self._budgets = budgets
        self._allowances = allowances
        self._vault = vault
        self._issuer = issuer
        self._token_seconds = token_seconds
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def identify(self, national_id: NationalId, birth_date: JalaliDate, source: str) -> ProvenIdentity:
        """Look a person up for the caller at address ``source`` and issue an identity token.

        Raises IdentityNotMatchedError, IdentityDeceasedError, RegistryUnavailableError or BudgetExhaustedError.
        """
        asker = _Asker(self._vault.index(national_id.value, "national_id"), self._vault.index(source, "source"))
        # One look-up at a time per source: guesses sent all at once must not overtake the mismatch budget. Of
        # several replicas each may still let one more through.
        async with self._turns.setdefault(asker.source_index, asyncio.Lock()):
            await self._spend(asker)
            answer = await self._look_up(asker, national_id, birth_date)
            match answer:
                case Matched(identity):
                    return self._prove(identity)
                case Deceased():
                    raise IdentityDeceasedError
                case NotMatched():
                    await self._spend_mismatch(asker)
                    raise IdentityNotMatchedError
                case _:
                    assert_never(answer)

    async def _spend(self, asker: _Asker) -> None:
        """Pay for a look-up before it is made. Raises BudgetExhaustedError."""
        allowed = self._allowances
        await self._budgets.demand(allowed.mismatches_per_source, "mismatches_per_source", asker.source_index)
        await self._budgets.demand(allowed.mismatches_per_number, "mismatches_per_number", asker.number_index)
        await self._budgets.spend(allowed.lookups_per_source, "lookups_per_source", asker.source_index)
        await self._budgets.spend(allowed.lookups_per_number, "lookups_per_number", asker.number_index)

    async def _spend_mismatch(self, asker: _Asker) -> None:
        allowed = self._allowances
        await self._budgets.spend(allowed.mismatches_per_source, "mismatches_per_source", asker.source_index)
        await self._budgets.spend(allowed.mismatches_per_number, "mismatches_per_number", asker.number_index)

    async def _look_up(self, asker: _Asker, national_id: NationalId, birth_date: JalaliDate) -> Answer:
        """Ask the registry and put it on record whatever comes of it."""
        outcome = Outcome.UNANSWERED
        try:
            answer = await self._registry.look_up(national_id, birth_date)
            outcome = answer.outcome
        finally:
            await self._record(asker, outcome)
        return answer

    async def _record(self, asker: _Asker, outcome: Outcome) -> None:
        """Commit the audit row on its own: an error answer would roll back the request's transaction, and this row."""
        made = Lookup(datetime.now(UTC), Purpose.SUBMIT, asker.number_index, asker.source_index, outcome)
        async with self._database.transaction() as session:
            await LookupStore(session).add(made)
        log.info("registry asked", purpose=made.purpose.value, outcome=outcome.value)

    def _prove(self, identity: Identity) -> ProvenIdentity:
        token, expires = self._issuer.issue(_claims(identity), audience=AUDIENCE, seconds=self._token_seconds)
        return ProvenIdentity(identity, token, datetime.fromtimestamp(expires, UTC))


def _claims(identity: Identity) -> Mapping[str, str]:
    return {
        "sub": identity.national_id.value,
        "birth_date": identity.birth_date.isoformat(),
        "first_name": identity.first_name,
        "last_name": identity.last_name,
        "gender": identity.gender,
        "status": "matched",
    }
