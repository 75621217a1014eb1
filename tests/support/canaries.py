"""Canaries: values that are planted in personal data and then looked for wherever the desk leaves bytes.

All canaries of one run contain one mark, so one search finds any of them, however much there is to search.
"""

import base64
import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from desk.testing.process import find_program

CONTEXT_BYTES = 60


class Canaries:
    """Plants values, and finds them in bytes: as they are, and in the encodings that programs write."""

    def __init__(self) -> None:
        self.mark = f"Qz{secrets.token_hex(6)}Zq"
        self.planted = 0
        self.numbers: list[str] = []

    def text(self, kind: str) -> str:
        """Plant a text of several lines and scripts."""
        return f"قناری {self._next(kind)} متن، خط دوم\n{self._next(kind)} end"

    def word(self, kind: str) -> str:
        """Plant a value without spaces, for names, addresses and paths."""
        return self._next(kind)

    def letters(self) -> str:
        """Plant a name of Latin letters, as an applicant types it."""
        self.planted += 1
        return self.mark.translate(str.maketrans("0123456789", "ghijklmnop"))

    def mobile(self) -> str:
        """Plant a mobile number."""
        self.planted += 1
        number = f"0912{secrets.randbelow(10**7):07}"
        self.numbers.append(number[1:])
        return number

    def _next(self, kind: str) -> str:
        self.planted += 1
        return f"{kind}{self.planted}{self.mark}"

    def found_in(self, content: bytes) -> str | None:
        """Return what surrounds the first canary in some bytes, None if there is none."""
        for form in self._forms():
            place = content.find(form)
            if place >= 0:
                return content[max(0, place - CONTEXT_BYTES) : place + CONTEXT_BYTES].decode("utf-8", "replace")
        return None

    def _forms(self) -> Iterator[bytes]:
        for text in (self.mark, self.letters_of_mark, *self.numbers):
            plain = text.encode()
            yield plain
            yield plain.hex().encode()
            yield text.encode("utf-16-le")
        yield self.mark.upper().encode()
        yield self.mark.lower().encode()
        plain = self.mark.encode()
        for shift in range(3):  # the characters of base64 that depend on the mark alone, at each of three positions
            encoded = base64.b64encode(bytes(shift) + plain).rstrip(b"=")
            yield encoded[4 if shift else 0 : -2]
        yield json.dumps(self.mark).strip('"').encode()

    @property
    def letters_of_mark(self) -> str:
        return self.mark.translate(str.maketrans("0123456789", "ghijklmnop"))

    def search_folder(self, folder: Path) -> dict[str, str]:
        """Search every file of a folder; return what surrounds the first canary in each."""
        found = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                try:
                    context = self.found_in(path.read_bytes())
                except FileNotFoundError:  # deleted by its server meanwhile
                    continue
                if context is not None:
                    found[str(path.relative_to(folder))] = context
        return found


def dump(url: str) -> bytes:
    """Return what pg_dump writes of a database."""
    parts = urlsplit(url.replace("+asyncpg", ""))
    program = find_program("pg_dump", "/usr/lib/postgresql/*/bin/pg_dump")
    done = subprocess.run([program, parts.geturl()], capture_output=True, check=True)  # noqa: S603 - a program of this machine
    return done.stdout
