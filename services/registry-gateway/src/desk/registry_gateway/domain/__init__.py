"""The rules of the registry gateway: persons, results of look-ups, and errors."""

from desk.registry_gateway.domain.answers import (
    Answer,
    Deceased,
    FailureKind,
    Lookup,
    Matched,
    MobileOwner,
    NotMatched,
    Outcome,
    Purpose,
    Reason,
    Referred,
    UnansweredError,
    Unavailable,
    Verdict,
)
from desk.registry_gateway.domain.errors import (
    IdentityDeceasedError,
    IdentityNotMatchedError,
    IdentityReferredError,
    ProofMissingError,
)
from desk.registry_gateway.domain.identity import Gender, Identity, IdKind, Number, birth_date_fault, kind_of

__all__ = [
    "Answer",
    "Deceased",
    "FailureKind",
    "Gender",
    "IdKind",
    "Identity",
    "IdentityDeceasedError",
    "IdentityNotMatchedError",
    "IdentityReferredError",
    "Lookup",
    "Matched",
    "MobileOwner",
    "NotMatched",
    "Number",
    "Outcome",
    "ProofMissingError",
    "Purpose",
    "Reason",
    "Referred",
    "UnansweredError",
    "Unavailable",
    "Verdict",
    "birth_date_fault",
    "kind_of",
]
