"""The embedded desk's secrets: created on first use, stored with its data, readable only by their owner."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from desk.chassis.crypto import Vault, new_key_pair, new_secret
from desk.chassis.event_encryption import import_event_key, new_event_key_pair
from desk.chassis.service_tokens import ServiceTokens
from desk.iran.offices import OFFICES

PEER_TIMEOUT_SECONDS = 5.0
RECEIVERS = ("intake", "tracking", "notifier", *(each.key for each in OFFICES))
"""The receivers of events."""


@dataclass(frozen=True, slots=True)
class Keys:
    """All secrets of the embedded services. In a real deployment each service has its own."""

    vault_key: str
    index_key: str
    identity_private: str
    identity_public: str
    tracking_private: str
    receipt_private: str
    event_keys: Mapping[str, str]
    """The private key of each receiver of events: services and offices."""

    @property
    def vault_keys(self) -> str:
        """The vault's keys in the format of a service's settings."""
        return f"k1:{self.vault_key}"

    @property
    def event_public_keys(self) -> dict[str, str]:
        """The public key of each receiver of events."""
        return {name: import_event_key(key).as_pem(private=False).decode() for name, key in self.event_keys.items()}

    def vault(self) -> Vault:
        """Open the vault."""
        return Vault.from_text(self.vault_keys, self.index_key)


def load_keys(folder: Path) -> Keys:
    """Read the folder's keys, and create missing ones; a folder of an older version lacks the newer keys."""
    path = folder / "keys.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    private, public = new_key_pair()
    fresh = Keys(new_secret(), new_secret(), private, public, new_key_pair()[0], new_key_pair()[0], _new_event_keys())
    keys = Keys(**(asdict(fresh) | kept))
    if asdict(keys) != kept:
        _write(path, keys)
    return keys


def _new_event_keys() -> dict[str, str]:
    return {name: new_event_key_pair()[0] for name in RECEIVERS}


def _write(path: Path, keys: Keys) -> None:
    """Write the keys atomically: an incomplete file would make the data unreadable."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(asdict(keys), file)
    fresh.replace(path)


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The keys of service tokens: new ones at each start, because the tokens last a minute."""

    pairs: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {name: new_key_pair() for name in ("registry-gateway", "intake", "tracking", "captcha")}
    )

    def settings_of(self, service: str, *callers: str) -> dict[str, object]:
        """Return the settings of a service, which calls others, or which these services call, or both."""
        own: dict[str, object] = {"service_private_key": self.pairs[service][0]} if service in self.pairs else {}
        return own | ({"service_public_keys": {name: self.pairs[name][1] for name in callers}} if callers else {})

    def peer(self, caller: str, callee: str, app: FastAPI) -> httpx.AsyncClient:
        """Return a client with which ``caller`` calls another service in process."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://peer",
            timeout=PEER_TIMEOUT_SECONDS,
            auth=ServiceTokens(self.pairs[caller][0], caller).auth_for(callee),
        )
