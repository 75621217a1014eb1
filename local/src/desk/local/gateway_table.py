"""The table the public door is made from, ``gateway/routes.toml``, and what nginx is given of it.

``gateway/nginx/generated`` is written by ``make contracts`` and held to the table by ``make lint``.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[4]
GATEWAY = CHECKOUT / "gateway"
GENERATED = GATEWAY / "nginx" / "generated"

WORDS = GATEWAY / "words"
LANGUAGES = tuple(
    sorted((path.stem for path in WORDS.glob("*.toml")), key=lambda language: (language != "fa", language))
)
"""There are pages in these; the first is spoken to whoever has not chosen."""
LANGUAGE_COOKIE = "language"
COOKIE_ENDS = "Path=/; Max-Age=31536000; SameSite=Lax"

_MADE = "# Made from gateway/routes.toml by `make contracts`.\n"


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


def documents() -> dict[str, str]:
    """Give every file of ``gateway/nginx/generated`` by its name."""
    table = load_table()
    return {
        "headers.conf": _MADE + "".join(_headers(table)),
        "language.conf": _MADE + "".join(_language()),
        "limits.conf": _MADE + "".join(_zone(route) for route in (*table.routes, table.pages)),
        "routes.conf": _MADE + "".join(map(_location, table.routes)) + _pages(table.pages),
        "services": "".join(f"{name}\n" for name in sorted({route.service for route in table.routes})),
    }


def write() -> None:
    """Write them."""
    GENERATED.mkdir(exist_ok=True)
    for name, text in documents().items():
        (GENERATED / name).write_text(text, encoding="utf-8")


def differences() -> list[str]:
    """Name the files that are not what the table says."""
    wanted = documents()
    present = {path.name: path.read_text(encoding="utf-8") for path in GENERATED.iterdir()}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def _language() -> Iterator[str]:
    one_of = "|".join(LANGUAGES)
    cookie = f"{LANGUAGE_COOKIE}=$chosen_language; {COOKIE_ENDS}"
    yield f'map $arg_lang $chosen_language {{ default ""; "~^(?<asked_language>{one_of})$" $asked_language; }}\n'
    yield f'map "$chosen_language:$cookie_{LANGUAGE_COOKIE}" $language {{\n'
    yield f'  default {LANGUAGES[0]};\n  "~^(?<named_language>{one_of}):" $named_language;\n'
    yield f'  "~^:(?<kept_language>{one_of})$" $kept_language;\n}}\n'
    yield f'map $chosen_language $remember_language {{ "" ""; default "{cookie}"; }}\n'


def _headers(table: Table) -> Iterator[str]:
    for name, value in table.headers.items():
        yield f'add_header {name} "{value}" always;\n'
    yield "add_header Strict-Transport-Security $hsts always;\n"
    yield "add_header X-Request-Id $desk_request_id always;\n"
    yield "add_header Set-Cookie $remember_language always;\n"


def _zone(route: Route) -> str:
    return f"limit_req_zone $source zone={route.zone or 'pages'}:4m rate={route.rate};\n"


def _location(route: Route) -> str:
    return (
        f"\nlocation ~ ^{route.path}(?:/|$) {{\n"
        f"{_limits(route)}"
        f"  proxy_pass http://$to_{route.service.replace('-', '_')};\n"
        "}\n"
    )


def _pages(pages: Route) -> str:
    return (
        "\nlocation ~ ^/(?:api|internal)(?:/|$) { return 404; }\n"
        f"\nlocation ~ ^/(?:{'|'.join(LANGUAGES)})(?:/|$) {{ return 404; }}\n"
        "\nlocation / {\n"
        f"{_limits(pages)}"
        "  expires -1;\n"
        "  try_files /$language$uri.html /$language${uri}index.html $uri $uri.html $unbundled =404;\n"
        "}\n"
    )


def _limits(route: Route) -> str:
    return (
        f"  set $route {route.path};\n"
        f'  set $allowed "{", ".join(route.methods)}";\n'
        f"  if ($request_method !~ ^(?:{'|'.join(route.methods)})$) {{ return 405; }}\n"
        f"  limit_req zone={route.zone or 'pages'} burst={route.burst} nodelay;\n"
        f"  client_max_body_size {route.body};\n"
    )
