"""Proofs of work for the next attempt of a sign-in: signed by the console, for one form, valid once.

The browser searches a counter whose derived key has a given prefix (altcha's second algorithm). The console keeps no
challenge: the token is signed with a key that all replicas have, and covers the right key. Its id is counted by the
rate limits, so that it is used once.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from altcha.v2 import ChallengeParameters, create_challenge, derive_key_pbkdf2

from desk.security.rate_limits import Attempt, LimitExceededError, RateLimits

ALGORITHM, COST = "PBKDF2/SHA-256", 5_000
"""The key derivation, and its rounds."""
COUNTER_MAX = 400
"""The highest counter of level 0; each level doubles it. Level 1 takes about a second on an office computer."""
VALID = timedelta(minutes=5)
_ONCE = "1/hour"


@dataclass(frozen=True, slots=True)
class Proof:
    """A solved challenge, as a form sends it; both parts are empty without one."""

    token: str = ""
    solution: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the browser needs; ``token`` comes back with the solution."""

    token: str
    level: int
    work: dict[str, str | int]
    """altcha's parameters, ``most``, the highest counter, and ``wait``, the seconds until the proof is valid."""


def delay(level: int) -> timedelta:
    """Return how long after its creation a challenge may be used: it doubles with each level."""
    return timedelta(seconds=2 ** (level - 1) if level else 0)


@dataclass(frozen=True, slots=True)
class Proofs:
    """Creates challenges and checks proofs."""

    limits: RateLimits
    key: bytes
    """The same for all replicas."""
    clock: Callable[[], datetime]

    def create(self, form: str, level: int) -> Challenge:
        """Create a challenge; takes the CPU time of one key derivation."""
        derived: list[bytes] = []

        def derive(parameters: ChallengeParameters, salt: bytes, password: bytes) -> bytes:
            derived.append(derive_key_pbkdf2(parameters, salt, password))
            return derived[-1]

        most = COUNTER_MAX * 2**level
        made = create_challenge(ALGORITHM, COST, derive_key=derive, counter=secrets.randbelow(most + 1)).parameters
        now = self.clock()
        usable_at, expires_at = now + delay(level), now + delay(level) + VALID
        claims = [secrets.token_hex(16), form, level, usable_at.timestamp(), expires_at.timestamp()]
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
        token = f"{payload}.{self._sign(payload, derived[0].hex())}"
        work = made.to_dict() | {"most": most, "wait": int(delay(level).total_seconds())}
        return Challenge(token, level, work)

    async def check(self, form: str, proof: Proof) -> int:
        """Return the level of a proof, and use it up; 0 if it is wrong, for another form, early, expired or used.

        Raises CountersUnavailableError.
        """
        payload, _, signature = proof.token.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(payload, proof.solution).encode()):
            return 0
        token_id, for_form, level, usable_at, expires_at = json.loads(base64.urlsafe_b64decode(payload))
        if for_form != form or not usable_at <= self.clock().timestamp() <= expires_at:
            return 0
        try:
            await self.limits.reserve(Attempt(_ONCE, "console-proof", token_id))
        except LimitExceededError:
            return 0
        return int(level)

    def _sign(self, payload: str, solution: str) -> str:
        return hmac.new(self.key, f"{payload}.{solution}".encode(), hashlib.sha256).hexdigest()
