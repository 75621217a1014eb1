"""The signed receipt: what the desk registered and when, verifiable without the desk (docs/adr/0054)."""

import base64
import hashlib
import json
from collections.abc import Sequence

from joserfc import jws
from joserfc.jwk import OKPKey

from desk.intake.domain import Attachment, Request

ALGORITHM = "Ed25519"
TYPE = "haj-receipt-1"
"""Kind and version of the token; a reader rejects other ones."""
_KEY_ID_LENGTH = 8
"""Characters of a key's RFC 7638 thumbprint; it only distinguishes the desk's few keys."""


class Receipts:
    """Signs receipts, and publishes the keys that verify them."""

    def __init__(self, private_key: str, public_keys: Sequence[str]) -> None:
        """Keys are PEMs of Ed25519; ``public_keys`` are published in addition to that of ``private_key``."""
        self._key = OKPKey.import_key(private_key)
        self._key_id = _key_id(self._key)
        published = [self._key, *(OKPKey.import_key(each) for each in public_keys)]
        self._published = list({_key_id(key): _published(key) for key in published}.values())

    def sign(self, request: Request, attachments: Sequence[Attachment]) -> str:
        """Return the token of a registered request: the same one for the same request and key."""
        header = {"alg": ALGORITHM, "kid": self._key_id, "typ": TYPE}
        claims = {
            "c": request.tracking_code,
            "t": int(request.submitted_at.timestamp()),
            "x": _base64url(hashlib.sha256(request.content.text.encode()).digest()),
            "f": [_base64url(digest) for digest in sorted(bytes.fromhex(each.sha256) for each in attachments)],
        }
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])

    def keys(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK set (RFC 7517)."""
        return {"keys": self._published}


def _key_id(key: OKPKey) -> str:
    return key.thumbprint()[:_KEY_ID_LENGTH]


def _published(key: OKPKey) -> dict[str, str]:
    jwk = key.as_dict(private=False)
    return {"kty": "OKP", "crv": ALGORITHM, "x": str(jwk["x"]), "kid": _key_id(key), "alg": ALGORITHM, "use": "sig"}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
