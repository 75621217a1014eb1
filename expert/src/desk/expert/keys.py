"""An office's own keys: one that signs requests for files, and one that reads events. Each has a public half."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from joserfc.jwk import ECKey, OKPKey

from desk.expert.errors import KeysExistError, KeysMissingError

FILES, EVENTS, FORMER = "files", "events", "former-events"
Curve = Literal["X25519", "P-256"]


@dataclass(frozen=True, slots=True)
class OfficeKeys:
    """PEMs. The private halves stay with the office, the public ones go to the desk's operator."""

    files_private: str
    files_public: str
    events_private: str
    events_public: str
    former_events_private: str | None = None
    """The key before a rotation, which reads what was sent before it."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the keys of a folder that :func:`make` has filled. Raises KeysMissingError."""
        try:
            read = {path.name: path.read_text(encoding="ascii") for path in folder.glob("*.pem")}
            return cls(
                read[f"{FILES}.pem"],
                read[f"{FILES}.public.pem"],
                read[f"{EVENTS}.pem"],
                read[f"{EVENTS}.public.pem"],
                read.get(f"{FORMER}.pem"),
            )
        except (OSError, KeyError) as error:
            raise KeysMissingError(f"{folder} has no keys, or not all of them: {error}") from None


def make(folder: Path, curve: Curve = "X25519") -> list[Path]:
    """Write both pairs into a folder; return the private files and then the public ones.

    Private files are readable by their owner alone. Raises KeysExistError if there is one of them, and writes nothing.
    """
    names = [f"{name}{half}.pem" for half in ("", ".public") for name in (FILES, EVENTS)]
    if there := [name for name in names if (folder / name).exists()]:
        raise KeysExistError(f"{folder} has {', '.join(there)} already; choose another folder, or rotate")
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, FILES, OKPKey.generate_key("Ed25519"))
    _write(folder, EVENTS, _event_key(curve))
    return [folder / name for name in names]


def rotate(folder: Path, curve: Curve = "X25519") -> list[Path]:
    """Replace the key for events, and keep the private one as the former key; return the new files.

    Raises KeysMissingError, or KeysExistError while there is a former key.
    """
    OfficeKeys.read(folder)
    former = folder / f"{FORMER}.pem"
    if former.exists():
        raise KeysExistError(f"{former} is still there; delete it 30 days after the last rotation, and then rotate")
    (folder / f"{EVENTS}.pem").rename(former)
    _write(folder, EVENTS, _event_key(curve))
    return [folder / f"{EVENTS}.pem", folder / f"{EVENTS}.public.pem"]


def _event_key(curve: Curve) -> OKPKey | ECKey:
    return OKPKey.generate_key("X25519") if curve == "X25519" else ECKey.generate_key("P-256")


def _write(folder: Path, name: str, key: OKPKey | ECKey) -> None:
    private = os.open(folder / f"{name}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(private, "wb") as file:
        file.write(key.as_pem(private=True))
    (folder / f"{name}.public.pem").write_bytes(key.as_pem(private=False))
