"""Identity tokens, which bind a number and a birth date, and the names of a person the registry has confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.chassis.crypto import TokenIssuer
from desk.iran.jalali import JalaliDate
from desk.registry_gateway.domain import Identity, Number, kind_of

ISSUER = "registry-gateway"
AUDIENCE = "desk.identity"


@dataclass(frozen=True, slots=True)
class IdentityTokens:
    """Signs identity tokens that expire after ``seconds``."""

    issuer: TokenIssuer
    seconds: int

    def issue_matched(self, identity: Identity, office: str = "") -> tuple[str, datetime]:
        """Return a token for a confirmed person, and when it expires; ``office`` is the one that looked it up."""
        names = {"first_name": identity.first_name, "last_name": identity.last_name, "gender": identity.gender}
        return self._issue(_claims(identity.national_id, identity.birth_date, "matched", office) | names)

    def issue_pending(self, number: Number, birth_date: JalaliDate, office: str = "") -> tuple[str, datetime]:
        """Return a token for a pair that the registry could not confirm, and when it expires."""
        return self._issue(_claims(number, birth_date, "pending", office))

    def _issue(self, claims: Mapping[str, str]) -> tuple[str, datetime]:
        token, expires = self.issuer.issue(claims, audience=AUDIENCE, seconds=self.seconds)
        return token, datetime.fromtimestamp(expires, UTC)


def _claims(number: Number, birth_date: JalaliDate, status: str, office: str) -> dict[str, str]:
    claims = {
        "sub": number.value,
        "id_kind": kind_of(number),
        "birth_date": birth_date.isoformat(),
        "status": status,
    }
    return claims | {"office": office} if office else claims
