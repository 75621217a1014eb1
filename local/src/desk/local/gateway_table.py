"""The table of public routes, ``gateway/routes.toml``, which nginx and the embedded gateway share."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desk.intake.domain import FILE_MEGABYTES_MAX

CHECKOUT = Path(__file__).resolve().parents[4]
GATEWAY = CHECKOUT / "gateway"

WORDS = GATEWAY / "words"
LANGUAGES = tuple(
    sorted((path.stem for path in WORDS.glob("*.toml")), key=lambda language: (language != "fa", language))
)
"""The languages of the pages; the first is the default."""
LANGUAGE_COOKIE = "language"
FILE_BODY = f"{FILE_MEGABYTES_MAX + 1}m"
"""What the body ``file`` of a route means: the largest file and the rest of its form."""
COOKIE_ENDS = "Path=/; Max-Age=31536000; SameSite=Lax"


@dataclass(frozen=True, slots=True)
class Route:
    """A public path, its service, and its limits."""

    path: str
    service: str
    methods: tuple[str, ...] = ()
    rate: str = ""
    """Rate limit of one source, in nginx's notation: ``20r/s``."""
    burst: int = 0
    body: str = ""
    """Largest body, in nginx's notation: ``64k``."""
    download: bool = False
    """Whether responses may be files, which nginx must not write to disk in clear."""
    cached: str = ""
    """How long nginx answers with the same response, in its notation: ``10s``; empty if it does not."""

    def matches(self, path: str) -> bool:
        """Return whether a path equals this one or is below it."""
        return path == self.path or path.startswith(f"{self.path}/")

    @property
    def zone(self) -> str:
        """Name of the zone in which requests are counted."""
        return self.path.removeprefix("/").replace("/", "-")


@dataclass(frozen=True, slots=True)
class Table:
    """All of ``gateway/routes.toml``."""

    routes: tuple[Route, ...]
    headers: Mapping[str, str]
    """Headers of every response."""
    pages: Route


def load_table() -> Table:
    """Read the table. Raises TypeError or KeyError if it is invalid."""
    table: Mapping[str, Any] = tomllib.loads((GATEWAY / "routes.toml").read_text(encoding="utf-8"))
    routes = [_route(table["usual"] | row) for row in table["route"]]
    pages = Route("/", "", ("GET", "HEAD"), body="1k", **table["pages"])
    return Table(tuple(routes), table["headers"], pages)


def _route(row: Mapping[str, Any]) -> Route:
    body = FILE_BODY if row["body"] == "file" else row["body"]
    return Route(**{**row, "methods": tuple(row["methods"]), "body": body})
