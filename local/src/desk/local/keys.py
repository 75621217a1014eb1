"""The embedded desk's secrets: made on first use, kept beside its data, readable by their owner alone."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from desk.chassis.crypto import Vault, new_key_pair, new_secret


@dataclass(frozen=True, slots=True)
class Keys:
    """Everything the embedded services need to keep secret; a real deployment gives each service its own."""

    vault_key: str
    index_key: str
    identity_private: str
    identity_public: str
    tracking_private: str

    @property
    def vault_keys(self) -> str:
        """The vault's keys as a service's settings carry them."""
        return f"k1:{self.vault_key}"

    def vault(self) -> Vault:
        """Open the vault."""
        return Vault.from_text(self.vault_keys, self.index_key)


def load_keys(folder: Path) -> Keys:
    """Read the folder's keys, or make them."""
    path = folder / "keys.json"
    if path.exists():
        return Keys(**json.loads(path.read_text(encoding="ascii")))
    private, public = new_key_pair()
    keys = Keys(new_secret(), new_secret(), private, public, new_key_pair()[0])
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(asdict(keys), file)
    return keys
