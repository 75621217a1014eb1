"""The keys of a run: those of the consumer, for which events are encrypted, and those of the desk, for reports."""

import json
from typing import Any

from joserfc.jwk import ECKey, OKPKey

from desk.expert import DecryptionError, PrivateKeys
from desk.expert.encryption import ALGORITHM, CONTENT_TYPE, Key, encrypt
from desk.expert_kit.contract import Envelope

CURVES = ("X25519", "P-256")


class EventKeys:
    """New keys for one run."""

    def __init__(self, curve: str) -> None:
        """``curve`` is that of the consumer's key."""
        self._office: Key = ECKey.generate_key("P-256") if curve == "P-256" else OKPKey.generate_key("X25519")
        self._desk = OKPKey.generate_key("X25519")
        self._foreign = OKPKey.generate_key("X25519")
        self._reader = PrivateKeys([_pem(self._desk)])

    @property
    def private_pem(self) -> str:
        """The consumer's private key."""
        return _pem(self._office)

    @property
    def key_set(self) -> dict[str, Any]:
        """The JWK Set that the desk publishes."""
        public = self._desk.as_dict(private=False)
        return {"keys": [{**public, "kid": self._desk.thumbprint(), "use": "enc", "alg": ALGORITHM}]}

    def seal(self, envelope: Envelope, *, event_id: str | None = None, foreign: bool = False) -> Envelope:
        """Encrypt the data of an event for the consumer, under the id of another event, or for a foreign key."""
        plain = json.dumps(envelope["data"], ensure_ascii=False).encode()
        key = self._foreign if foreign else self._office
        return envelope | {
            "datacontenttype": CONTENT_TYPE,
            "data": encrypt(plain, event_id or envelope["id"], [key]),
        }

    def read_report(self, envelope: Any) -> tuple[Any, str]:
        """Return the decrypted data of a report, or None and the reason why it cannot be decrypted."""
        if not isinstance(envelope, dict):
            return None, "the body is no JSON object"
        try:
            return json.loads(self._reader.decrypt(envelope.get("data"), str(envelope.get("id")))), ""
        except DecryptionError as error:
            return None, str(error)
        except ValueError:
            return None, "the decrypted data is no JSON"


def _pem(key: Key) -> str:
    return key.as_pem(private=True).decode()
