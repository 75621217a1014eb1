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
    ProofExpiredError,
    ProofMissingError,
    ProofWrongError,
)
from desk.registry_gateway.domain.identity import Gender, Identity, IdKind, Number, birth_date_fault, kind_of
from desk.registry_gateway.domain.sources import network_of

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
    "ProofExpiredError",
    "ProofMissingError",
    "ProofWrongError",
    "Purpose",
    "Reason",
    "Referred",
    "UnansweredError",
    "Unavailable",
    "Verdict",
    "birth_date_fault",
    "kind_of",
    "network_of",
]
