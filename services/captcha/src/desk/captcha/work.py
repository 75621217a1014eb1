"""Proof of work by altcha's second algorithm: cheap to set, a while to do, and costly to do ten thousand times.

The answer is the derived key. It is known here when the work is set, so checking it costs nothing and needs no key that
replicas share: the challenge's own record in Redis, good once, is the proof that it was set here.
"""

import secrets
from dataclasses import dataclass

from altcha.v2 import ChallengeParameters, create_challenge, derive_key_pbkdf2

from desk.captcha.domain import Difficulty

ALGORITHM = "PBKDF2/SHA-256"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, in altcha's terms, and the key that shows that it was."""

    algorithm: str
    cost: int
    key_length: int
    key_prefix: str
    nonce: str
    salt: str
    most: int
    """No counter beyond this needs trying."""
    answer: str


def set_work(difficulty: Difficulty) -> Work:
    """Hide a counter anywhere in the range: a likelier place would be tried first. Takes one derivation of CPU."""
    derived: list[bytes] = []

    def derive(parameters: ChallengeParameters, salt: bytes, password: bytes) -> bytes:
        derived.append(derive_key_pbkdf2(parameters, salt, password))
        return derived[-1]

    counter = secrets.randbelow(difficulty.most + 1)
    made = create_challenge(ALGORITHM, difficulty.cost, derive_key=derive, counter=counter).parameters
    return Work(
        algorithm=made.algorithm,
        cost=made.cost,
        key_length=made.key_length,
        key_prefix=made.key_prefix,
        nonce=made.nonce,
        salt=made.salt,
        most=difficulty.most,
        answer=derived[0].hex(),
    )
