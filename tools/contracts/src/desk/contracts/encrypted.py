"""Test vectors of encrypted events: every example, encrypted for example keys that are published with it.

Encryption is random, so a vector is kept as long as it decrypts to the current example for the same receivers.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, OKPKey

from desk.chassis.event_encryption import (
    CONTENT_TYPE,
    EventDecryptionError,
    EventDecryptor,
    EventEncryptor,
    Key,
    import_event_key,
    new_event_key_pair,
)
from desk.chassis.events import Event
from desk.iran.offices import HEADQUARTERS
from desk.topology.table import CASES, TO_HEADQUARTERS

Envelope = dict[str, Any]

OFFICE = "isfahan"
RECEIVERS = ("intake", "tracking", "notifier", HEADQUARTERS.key, OFFICE)
NOTE = (
    "EXAMPLE KEYS, published: they protect nothing, and no desk may use them. "
    "They read the encrypted examples of this folder."
)


class Vectors:
    """The vectors of a folder, completed where they are missing or differ from the examples."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Envelope] = {}
        self._keys = _read(folder / "keys.json").get("keys") or _new_keys()
        self._private = {name: [_pem(key, private=True) for key in keys] for name, keys in self._keys.items()}
        self._encryptor = EventEncryptor(
            {name: "".join(_pem(key, private=False) for key in keys) for name, keys in self._keys.items()}
        )

    @property
    def keys(self) -> dict[str, Any]:
        """The private example keys as JWKs, by receiver."""
        return {"note": NOTE, "keys": self._keys}

    def envelope(self, event: Event, clear: Envelope) -> Envelope:
        """Return the encrypted event of an example."""
        if event.name not in self._made:
            made = self._envelope(event, clear)
            self._made[event.name] = json.loads(json.dumps(made, sort_keys=True))  # in the order of the stored file
        return self._made[event.name]

    def _envelope(self, event: Event, clear: Envelope) -> Envelope:
        receivers, kept = receivers_of(event), _read(self._folder / f"{event.name}.json")
        if kept and self._is_current(kept, clear, receivers):
            return kept
        plain = json.dumps(clear["data"], ensure_ascii=False).encode()
        data = self._encryptor.encrypt(plain, clear["id"], receivers)
        return clear | {"datacontenttype": CONTENT_TYPE, "data": data}

    def _is_current(self, kept: Envelope, clear: Envelope, receivers: Iterable[str]) -> bool:
        attributes = clear | {"datacontenttype": CONTENT_TYPE, "data": kept.get("data")}
        return kept == attributes and all(self._reads(kept, clear, pem) for pem in self._pems(receivers))

    def _pems(self, receivers: Iterable[str]) -> Iterator[str]:
        return (pem for name in receivers for pem in self._private[name])

    @staticmethod
    def _reads(kept: Envelope, clear: Envelope, pem: str) -> bool:
        try:
            return bool(json.loads(EventDecryptor([pem]).decrypt(kept["data"], kept["id"])) == clear["data"])
        except EventDecryptionError:
            return False


def receivers_of(event: Event) -> tuple[str, ...]:
    """Return the receivers of an example: of Isfahan's request, or of a report to tracking."""
    if event.exchange == CASES:
        return ("tracking",)
    return event.receivers_of(HEADQUARTERS.key if event.name in TO_HEADQUARTERS else OFFICE)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _new_keys() -> dict[str, list[dict[str, Any]]]:
    """Return new keys; the office has one of each curve, as during a rotation."""
    keys: dict[str, list[Key]] = {name: [import_event_key(new_event_key_pair()[0])] for name in RECEIVERS}
    keys[OFFICE].append(ECKey.generate_key("P-256"))
    return {name: [_jwk(key) for key in listed] for name, listed in keys.items()}


def _jwk(key: Key) -> dict[str, Any]:
    return {**key.as_dict(private=True), "kid": key.thumbprint()}


def _pem(jwk: Mapping[str, Any], *, private: bool) -> str:
    key = (ECKey if jwk["kty"] == "EC" else OKPKey).import_key(dict(jwk))
    return key.as_pem(private=private).decode()
