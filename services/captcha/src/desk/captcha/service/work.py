"""Proofs of work by altcha's second algorithm: cheap to create and to check, costly to solve thousands of times.

The answer is the derived key. It is known when the work is created, so checking it is a comparison. Replicas need no
shared key: the challenge's record in Redis, valid once, proves that the challenge was issued here.
"""

import secrets
from dataclasses import dataclass

from altcha.v2 import ChallengeParameters, create_challenge, derive_key_pbkdf2

from desk.captcha.domain import WORK_COST

ALGORITHM = "PBKDF2/SHA-256"


@dataclass(frozen=True, slots=True)
class Work:
    """A proof of work in altcha's format, and the key that solves it."""

    algorithm: str
    cost: int
    key_length: int
    key_prefix: str
    nonce: str
    salt: str
    most: int
    """The highest counter that may be the solution."""
    answer: str


def create_work(most: int, *, cost: int = WORK_COST) -> Work:
    """Create a proof of work with a counter from 0 to ``most``; takes the CPU time of one key derivation.

    ``cost`` is the number of rounds for each counter.

    The counter is equally likely anywhere in the range, because a likelier part would be searched first.
    """
    derived: list[bytes] = []

    def derive(parameters: ChallengeParameters, salt: bytes, password: bytes) -> bytes:
        derived.append(derive_key_pbkdf2(parameters, salt, password))
        return derived[-1]

    counter = secrets.randbelow(most + 1)
    made = create_challenge(ALGORITHM, cost, derive_key=derive, counter=counter).parameters
    return Work(
        algorithm=made.algorithm,
        cost=made.cost,
        key_length=made.key_length,
        key_prefix=made.key_prefix,
        nonce=made.nonce,
        salt=made.salt,
        most=most,
        answer=derived[0].hex(),
    )
