"""Settings as operators may pass them on: no secret, and of an address only where it leads."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from desk.security.secrets import SecretKind, is_address
from desk.security.settings import DeskSettings

HIDDEN = "(secret)"
_KEY = re.compile(r"-----BEGIN [A-Z ]*KEY-----")
_HOST = re.compile(r"[A-Za-z0-9.:,\[\]_-]+")
"""A host, or several by commas, each with a port or without."""


def shown(settings: DeskSettings) -> dict[str, object]:
    """Return every setting under the name of its environment variable.

    A secret is :data:`HIDDEN`; an address has scheme, host and port only; a key is left out, its owner's name is shown.
    """
    return _fields(settings, str(settings.model_config.get("env_prefix", "")).upper())


def _fields(model: BaseModel, prefix: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, field in type(model).model_fields.items():
        keys = any(each in field.metadata for each in (SecretKind.KEYS, SecretKind.INDEX_KEY))
        found[f"{prefix}{name.upper()}"] = _value(getattr(model, name), keys=keys)
    return found


def _value(value: object, *, keys: bool = False) -> object:
    match value:
        case SecretStr():
            return HIDDEN if keys else _text(value.get_secret_value(), HIDDEN)
        case str():
            return _text(value, HIDDEN if _KEY.search(value) else value)
        case BaseModel():
            return _fields(value, "")
        case Mapping():
            return {str(name): _value(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_value(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _text(value: str, otherwise: str) -> str:
    return _place(value) if is_address(value) else otherwise


def _place(address: str) -> str:
    """Return scheme, host and port of an address: user, password, path and query may be secret."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return HIDDEN
    host = parts.netloc.rpartition("@")[2]
    unclear = "@" in address.partition(parts.netloc)[2]  # a password with a sign that ends the host
    return f"{parts.scheme}://{host}" if _HOST.fullmatch(host) and not unclear else HIDDEN
