"""Checks before a request is looked up or changed: rate limits, the security code and the tracking token."""

from dataclasses import dataclass

from desk.chassis.captcha import CaptchaClient
from desk.chassis.crypto import TokenError, TokenExpiredError, TokenReader, Vault
from desk.chassis.rate_limits import RateLimits
from desk.tracking.domain import TrackingTokenExpiredError, TrackingTokenInvalidError, TrackingTokenMissingError
from desk.tracking.forms import TrackingQuery
from desk.tracking.settings import Settings


@dataclass(frozen=True, slots=True)
class LookupGuard:
    """Admits look-ups by rate limit and security code."""

    rate_limits: RateLimits
    captcha: CaptchaClient
    settings: Settings

    async def check(self, query: TrackingQuery, source: str) -> None:
        """Return if the look-up may be made.

        Raises RateLimitExceededError, RequestNotFoundError and the captcha's errors.
        """
        await self.rate_limits.require_available(self.settings.misses_per_source, "misses", source)
        await self.rate_limits.reserve(self.settings.lookups_per_source, "lookups", source)
        query.require_plausible_code()
        await self.captcha.check_answer(query.captcha.id, query.captcha.answer)

    async def record_miss(self, source: str) -> None:
        """Count an unknown code. Raises RateLimitExceededError."""
        await self.rate_limits.reserve(self.settings.misses_per_source, "misses", source)


@dataclass(frozen=True, slots=True)
class ActionGuard:
    """Admits actions by tracking token and rate limit."""

    rate_limits: RateLimits
    token_reader: TokenReader
    vault: Vault
    settings: Settings

    async def check(self, token: str | None) -> str:
        """Return the tracking code that the token allows actions on.

        Raises TrackingTokenMissingError, TrackingTokenInvalidError, TrackingTokenExpiredError or
        RateLimitExceededError.
        """
        if token is None:
            raise TrackingTokenMissingError
        try:
            tracking_code = str(self.token_reader.read(token)["sub"])
        except TokenExpiredError:
            raise TrackingTokenExpiredError from None
        except (TokenError, KeyError) as error:
            raise TrackingTokenInvalidError(type(error).__name__) from None
        key = self.vault.index(tracking_code, "moves")
        await self.rate_limits.reserve(self.settings.moves_per_request, "moves", key)
        return tracking_code
