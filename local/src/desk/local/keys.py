"""The embedded desk's secrets: created on first use, stored with its data, readable only by their owner."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from desk.chassis.crypto import Vault, new_key_pair, new_secret


@dataclass(frozen=True, slots=True)
class Keys:
    """All secrets of the embedded services. In a real deployment each service has its own."""

    vault_key: str
    index_key: str
    identity_private: str
    identity_public: str
    tracking_private: str
    receipt_private: str

    @property
    def vault_keys(self) -> str:
        """The vault's keys in the format of a service's settings."""
        return f"k1:{self.vault_key}"

    def vault(self) -> Vault:
        """Open the vault."""
        return Vault.from_text(self.vault_keys, self.index_key)


def load_keys(folder: Path) -> Keys:
    """Read the folder's keys, and create missing ones; a folder of an older version lacks the newer keys."""
    path = folder / "keys.json"
    kept: dict[str, str] = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    private, public = new_key_pair()
    fresh = Keys(new_secret(), new_secret(), private, public, new_key_pair()[0], new_key_pair()[0])
    keys = Keys(**(asdict(fresh) | kept))
    if asdict(keys) != kept:
        _write(path, keys)
    return keys


def _write(path: Path, keys: Keys) -> None:
    """Write the keys atomically: an incomplete file would make the data unreadable."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(asdict(keys), file)
    fresh.replace(path)
