"""The table of public routes, ``gateway/routes.toml``, which nginx and the embedded gateway share."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[4]
GATEWAY = CHECKOUT / "gateway"

WORDS = GATEWAY / "words"
LANGUAGES = tuple(
    sorted((path.stem for path in WORDS.glob("*.toml")), key=lambda language: (language != "fa", language))
)
"""There are pages in these; the first is spoken to whoever has not chosen."""
LANGUAGE_COOKIE = "language"
COOKIE_ENDS = "Path=/; Max-Age=31536000; SameSite=Lax"


@dataclass(frozen=True, slots=True)
class Route:
    """A public path, the service behind it, and what it takes."""

    path: str
    service: str
    methods: tuple[str, ...] = ()
    rate: str = ""
    """Requests of one source, as nginx writes it: ``20r/s``."""
    burst: int = 0
    body: str = ""
    """The largest body, as nginx writes it: ``64k``."""

    def matches(self, path: str) -> bool:
        """Return whether a request's path is this one or lies below it."""
        return path == self.path or path.startswith(f"{self.path}/")

    @property
    def zone(self) -> str:
        """Name what its requests are counted in."""
        return self.path.removeprefix("/").replace("/", "-")


@dataclass(frozen=True, slots=True)
class Table:
    """All of ``gateway/routes.toml``."""

    routes: tuple[Route, ...]
    headers: Mapping[str, str]
    """Those of every answer."""
    pages: Route


def load_table() -> Table:
    """Read the table. Raises TypeError or KeyError for one that cannot be understood."""
    table: Mapping[str, Any] = tomllib.loads((GATEWAY / "routes.toml").read_text(encoding="utf-8"))
    routes = [Route(**{**table["usual"], **row, "methods": tuple(row["methods"])}) for row in table["route"]]
    pages = Route("/", "", ("GET", "HEAD"), body="1k", **table["pages"])
    return Table(tuple(routes), table["headers"], pages)
