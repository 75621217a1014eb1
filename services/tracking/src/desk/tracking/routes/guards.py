"""Checks before a request is looked up or changed: rate limits, the security code and the tracking token."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from desk.chassis.audit import AuditLog
from desk.chassis.captcha import CaptchaClient
from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import TokenError, TokenExpiredError, TokenReader, Vault
from desk.chassis.rate_limits import Attempt, RateLimits, Reservation, source_network
from desk.tracking.domain import (
    RequestNotFoundError,
    TrackingTokenExpiredError,
    TrackingTokenInvalidError,
    TrackingTokenMissingError,
)
from desk.tracking.forms import OwnRequestsQuery, ProofOfWork, TrackingQuery
from desk.tracking.settings import Settings


@dataclass(frozen=True, slots=True)
class TrackingSession:
    """A request that was looked up at ``auth_time``, in seconds since 1970; tokens renewed by actions keep it."""

    tracking_code: str
    auth_time: int

    @classmethod
    def begin(cls, tracking_code: str) -> "TrackingSession":
        """Return a session that begins now."""
        return cls(tracking_code, int(time.time()))

    def seconds_left(self, session_seconds: int) -> int:
        """Return the seconds until the session ends."""
        return self.auth_time + session_seconds - int(time.time())


@dataclass(frozen=True, slots=True)
class LookupGuard:
    """Admits look-ups by rate limit, proof of work and security code."""

    rate_limits: RateLimits
    captcha: CaptchaClient
    proofs: CaptchaClient
    vault: Vault
    settings: Settings
    audit: AuditLog

    @asynccontextmanager
    async def admit(self, query: TrackingQuery, source: str) -> AsyncIterator[None]:
        """Admit one look-up, which counts as a miss unless the request is found.

        The miss is reserved before the look-up, so that codes tried at the same time cannot exceed the limit.
        Raises ProofRequiredError beyond the limits of the source, RequestNotFoundError and the captcha's errors.
        """
        query.require_plausible_code()
        miss = await self._reserve(query.proof, self.vault.index(source_network(source), "source"))
        missed = False
        try:
            await self.captcha.check_answer(query.captcha.id, query.captcha.answer)
            yield
        except RequestNotFoundError:
            missed = True
            if query.proof is not None:  # beyond the wrong codes that are free for a network
                subject = self.vault.index(query.national_id, "national_id")
                await self.audit.add_refusal("wrong_code", source=source, about="with a proof of work", subject=subject)
            raise
        finally:
            if not missed:
                await self.rate_limits.release(miss)

    async def _reserve(self, proof: ProofOfWork | None, key: str) -> Reservation:
        level = await self.proofs.check_answer(proof.id, proof.solution) if proof is not None else 0
        counted = await self.rate_limits.reserve_all(
            Attempt(self.settings.lookups_per_source, "lookups", key, proof=True),
            Attempt(self.settings.misses_per_source, "misses", key, proof=True),
            level=level,
        )
        return counted.only("misses")


@dataclass(slots=True)
class Admission:
    """An admitted list of requests; it counts as a miss if it turns out to be ``empty``."""

    empty: bool = False


@dataclass(frozen=True, slots=True)
class OwnRequestsGuard:
    """Admits lists of requests by rate limit, proof of work and a code by SMS."""

    rate_limits: RateLimits
    codes: CaptchaClient
    proofs: CaptchaClient
    vault: Vault
    settings: Settings

    @asynccontextmanager
    async def admit(self, query: OwnRequestsQuery, source: str) -> AsyncIterator[Admission]:
        """Admit one list. The same query may repeat its code for ten minutes, and no other query may use it.

        A miss of the source and of the number is reserved before the code is checked. Raises ProofRequiredError beyond
        their limits, and the errors of the proof and of the code.
        """
        misses, admission = await self._reserve(query, source), Admission()
        try:
            claim = self.vault.index(f"{query.national_id}/{query.mobile}", "own requests")
            await self.codes.check_answer(query.mobile_code.id, query.mobile_code.answer, claim, mobile=query.mobile)
            yield admission
        finally:
            if not admission.empty:
                await self.rate_limits.release(misses)

    async def _reserve(self, query: OwnRequestsQuery, source: str) -> Reservation:
        proof, key = query.proof, self.vault.index(source_network(source), "source")
        person = self.vault.index(query.national_id, "national_id")
        level = await self.proofs.check_answer(proof.id, proof.solution) if proof is not None else 0
        counted = await self.rate_limits.reserve_all(
            Attempt(self.settings.lookups_per_source, "lookups", key, proof=True),
            Attempt(self.settings.misses_per_source, "misses", key, proof=True),
            Attempt(self.settings.misses_per_person, "misses of person", person, proof=True),
            level=level,
        )
        return counted.only("misses", "misses of person")


@dataclass(frozen=True, slots=True)
class ActionGuard:
    """Admits actions by tracking token and rate limit."""

    rate_limits: RateLimits
    token_reader: TokenReader
    vault: Vault
    settings: Settings

    async def check(self, token: str | None) -> TrackingSession:
        """Return the session of the token, which names the request that actions are allowed on.

        Raises TrackingTokenMissingError, TrackingTokenInvalidError, TrackingTokenExpiredError or
        RateLimitExceededError.
        """
        if token is None:
            raise TrackingTokenMissingError
        try:
            claims = self.token_reader.read(token)
            session = TrackingSession(str(claims["sub"]), int(claims.get("auth_time", claims["iat"])))
        except TokenExpiredError:
            raise TrackingTokenExpiredError from None
        except (TokenError, KeyError, ValueError, TypeError) as error:
            raise TrackingTokenInvalidError(type(error).__name__) from None
        if session.seconds_left(self.settings.session_seconds) <= 0:
            raise TrackingTokenExpiredError
        key = self.vault.index(session.tracking_code, "moves")
        await self.rate_limits.reserve(self.settings.moves_per_request, "moves", key)
        return session


@dataclass(frozen=True, slots=True)
class CaseReaderGuard:
    """Admits offices that read a case by its code: by assertion, and so many in an hour."""

    assertions: ClientAssertions
    rate_limits: RateLimits
    limit: str

    async def admit(self, assertion: str | None, source: str) -> str:
        """Return the office of an assertion. Raises the errors of ``ASSERTION_ERRORS``, or RateLimitExceededError."""
        office = await self.assertions.client_of(assertion, source)
        await self.rate_limits.reserve(self.limit, "cases of office", office)
        return office
