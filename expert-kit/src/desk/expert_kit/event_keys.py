"""The keys of a run: those of the consumer, for which events are encrypted, and those of the desk, for reports."""

import json
from collections.abc import Sequence
from typing import Any

from joserfc.jwk import ECKey, OKPKey

from desk.expert import DecryptionError, PrivateKeys
from desk.expert.encryption import ALGORITHM, CONTENT_TYPE, Key, encrypt
from desk.expert_kit.contract import Envelope

CURVES = ("X25519", "P-256")


class EventKeys:
    """New keys for one run: the consumer has two, as while an office replaces its key."""

    def __init__(self, curve: str) -> None:
        """``curve`` is that of the consumer's keys."""
        self.current, self.former = _new(curve), _new(curve)
        self._desk = OKPKey.generate_key("X25519")
        self.foreign: Key = OKPKey.generate_key("X25519")
        """A key that the consumer does not have."""
        self._reader = PrivateKeys([_pem(self._desk)])

    @property
    def private_pem(self) -> str:
        """The consumer's private key."""
        return _pem(self.current)

    @property
    def former_private_pem(self) -> str:
        """The consumer's private key of before, for which the desk may still encrypt."""
        return _pem(self.former)

    @property
    def key_set(self) -> dict[str, Any]:
        """The JWK Set that the desk publishes."""
        public = self._desk.as_dict(private=False)
        return {"keys": [{**public, "kid": self._desk.thumbprint(), "use": "enc", "alg": ALGORITHM}]}

    def seal(self, envelope: Envelope, keys: Sequence[Key] = (), *, event_id: str | None = None) -> Envelope:
        """Encrypt the data of an event for ``keys`` (default: the consumer's current one), for itself or another id."""
        plain = json.dumps(envelope["data"], ensure_ascii=False).encode()
        return envelope | {
            "datacontenttype": CONTENT_TYPE,
            "data": encrypt(plain, event_id or envelope["id"], keys or [self.current]),
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


def _new(curve: str) -> Key:
    return ECKey.generate_key("P-256") if curve == "P-256" else OKPKey.generate_key("X25519")


def _pem(key: Key) -> str:
    return key.as_pem(private=True).decode()
