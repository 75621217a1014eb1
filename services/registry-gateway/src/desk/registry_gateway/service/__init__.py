"""The use cases of the registry gateway."""

from desk.registry_gateway.service.guard import LookupGuard, SourceLimits
from desk.registry_gateway.service.identities import IdentityService, PendingIdentity, Proof, ProvenIdentity
from desk.registry_gateway.service.ledger import Ledger, ledger_chain
from desk.registry_gateway.service.office_limits import OfficeLimits
from desk.registry_gateway.service.tokens import ISSUER, IdentityTokens
from desk.registry_gateway.service.verdicts import VerdictLimit

__all__ = [
    "ISSUER",
    "IdentityService",
    "IdentityTokens",
    "Ledger",
    "LookupGuard",
    "OfficeLimits",
    "PendingIdentity",
    "Proof",
    "ProvenIdentity",
    "SourceLimits",
    "VerdictLimit",
    "ledger_chain",
]
