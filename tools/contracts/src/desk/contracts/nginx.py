"""Generates ``gateway/nginx/generated`` from the table of public routes; ``make lint`` checks that it is up to date."""

from collections.abc import Iterator

from desk.local.gateway_table import COOKIE_ENDS, GATEWAY, LANGUAGE_COOKIE, LANGUAGES, Route, Table, load_table

GENERATED = GATEWAY / "nginx" / "generated"
_MADE = "# Made from gateway/routes.toml by `make contracts`.\n"


def documents() -> dict[str, str]:
    """Return every file of ``gateway/nginx/generated`` by its name."""
    table = load_table()
    return {
        "headers.conf": _MADE + "".join(_headers(table)),
        "language.conf": _MADE + "".join(_language()),
        "limits.conf": _MADE + "".join(_zone(route) for route in (*table.routes, table.pages)),
        "routes.conf": _MADE + "".join(map(_location, table.routes)) + _pages(table.pages),
        "services": "".join(f"{name}\n" for name in sorted({route.service for route in table.routes})),
    }


def write() -> None:
    """Write the files."""
    GENERATED.mkdir(exist_ok=True)
    for name, text in documents().items():
        (GENERATED / name).write_text(text, encoding="utf-8")


def differences() -> list[str]:
    """Return the files that differ from the table."""
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
        f"{_streaming(route)}"
        f"{_caching(route)}"
        f"  proxy_pass http://$to_{route.service.replace('-', '_')};\n"
        "}\n"
    )


def _streaming(route: Route) -> str:
    """Pass bodies on as they arrive: the service limits their total time, which nginx cannot."""
    request = "  proxy_request_buffering off;\n" if "POST" in route.methods else ""
    response = "  proxy_buffering off; # a file is sent as fast as its client reads, and never written to disk\n"
    return request + (response if route.download else "")


def _caching(route: Route) -> str:
    if not route.cached:
        return ""
    return (
        "  proxy_cache documents;\n"
        "  proxy_cache_key $uri; # a query changes nothing\n"
        "  proxy_ignore_headers Cache-Control Expires; # they are for browsers\n"
        f"  proxy_cache_valid 200 {route.cached};\n"
        "  proxy_cache_lock on;\n"
        "  proxy_cache_use_stale error timeout updating;\n"
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
