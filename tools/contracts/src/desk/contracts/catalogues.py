"""The catalogues of texts, ``gateway/words/<language>.toml``, and the script modules generated from them.

A message may contain values in braces, ``{count}``, and their format, ``{count:digits}``. In a script a message with
values is a function of them, in the order of the Persian message.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from desk.intake.domain import FILE_MEGABYTES_MAX
from desk.iran.digits import to_persian
from desk.local.gateway_table import LANGUAGES, WORDS

FIRST = LANGUAGES[0]
"""The language with which all others are compared."""
OWN = "desk"
"""The table of texts for what the desk itself names in Persian; the number of entries differs by language."""
LOOKED_UP = {"why", "reason", "meaning", "lookups", "sources", "question", "consequence", "yes", "done"}
"""Tables of texts that scripts look up by a key of the desk, such as a state or an action."""
TYPES = {"": "string", "digits": "string | number", "number": "number", "month": "number", "and": "string[]"}
TYPES |= {"or": "string[]", "plural": "number", "hidden": "string"}
_PLACE = re.compile(r"\{(\w+)(?::(\w+)(?::([^}|]*)\|([^}|]*))?)?\}")

Catalogue = Mapping[str, Any]


@cache
def catalogues() -> Mapping[str, Catalogue]:
    """Read every catalogue, the first language first. Raises TOMLDecodeError if one is invalid."""
    return {each: tomllib.loads(_text(each)) for each in LANGUAGES}


def _text(language: str) -> str:
    number = str(FILE_MEGABYTES_MAX)
    shown = to_persian(number) if language == "fa" else number
    return (WORDS / f"{language}.toml").read_text(encoding="utf-8").replace("{file_megabytes}", shown)


def faults() -> list[str]:
    """Return the missing and surplus messages of each catalogue, compared with the first language."""
    first = dict(_messages(catalogues()[FIRST]))
    found = [f"{FIRST}: {key}: {fault}" for key, text in first.items() for fault in _wrong(text)]
    for language, catalogue in list(catalogues().items())[1:]:
        other = dict(_messages(catalogue))
        found += [f"{language}: {key} is missing" for key in first.keys() - other.keys()]
        found += [f"{language}: {key} is not in {FIRST}" for key in other.keys() - first.keys()]
        for key in first.keys() & other.keys():
            found += [f"{language}: {key}: {fault}" for fault in _wrong(other[key])]
            if set(_names(first[key])) != set(_names(other[key])):
                found.append(f"{language}: {key} has other values than in {FIRST}")
    return sorted(found)


def scripts() -> dict[str, str]:
    """Return the module with each language's texts, by its name under ``assets/js``."""
    first: Catalogue = catalogues()[FIRST]["script"]
    return {f"words.{language}.js": _module(language, each["script"], first) for language, each in catalogues().items()}


def _messages(table: Catalogue, path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if name == f"script.{OWN}":
            continue
        if isinstance(value, dict):
            yield from _messages(value, name)
        elif isinstance(value, list):
            yield from ((f"{name}.{place}", text) for place, text in enumerate(value))
        else:
            yield name, value


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(match[1] for match in _PLACE.finditer(text)))


def _wrong(text: str) -> Iterator[str]:
    if not text.strip():
        yield "is empty"
    for match in _PLACE.finditer(text):
        if (match[2] or "") not in TYPES:
            yield f"{match[0]} has an unknown format"
    if re.search(r"[{}]", _PLACE.sub("", text)):
        yield "has a brace that is not part of a value"


def _module(language: str, table: Catalogue, first: Catalogue) -> str:
    months = json.dumps(table["months"], ensure_ascii=False)
    return (
        f"// Made from gateway/words/{language}.toml by `make contracts`.\n"
        'import { formats } from "./language.js";\n\n'
        f"const months = {months};\n"
        "/** @param {number} which from 1 */\n"
        'const month = (which) => months[which - 1] ?? "";\n'
        f"const shown = {{ ...formats.{language}, month }};\n\n"
        f"export const words = {_object(table, first, 0)};\n"
    )


def _object(table: Catalogue, first: Catalogue, depth: int) -> str:
    pad = "  " * (depth + 1)
    lines = []
    for key, value in table.items():
        if key == OWN:
            shown = ", ".join(
                f"{name}: /** @type {{Record<string, string>}} */ ({json.dumps(words, ensure_ascii=False)})"
                for name, words in value.items()
            )
            lines.append(f"{pad}{key}: {{ {shown} }},")
        elif isinstance(value, dict):
            body = _object(value, first[key], depth + 1)
            by_key = f"/** @type {{Record<string, string>}} */ ({body})"
            lines.append(f"{pad}{key}: {by_key if key in LOOKED_UP else body},")
        elif isinstance(value, list):
            lines.append(
                f"{pad}{key}: months," if key == "months" else f"{pad}{key}: {json.dumps(value, ensure_ascii=False)},"
            )
        else:
            lines.append(f"{pad}{key}: {_message(value, first[key])},")
    return "{\n" + "\n".join(lines) + "\n" + "  " * depth + "}"


def _message(text: str, first: str) -> str:
    names = _names(first)
    if not names:
        return json.dumps(text, ensure_ascii=False)
    kinds = {match[1]: TYPES[match[2] or ""] for match in _PLACE.finditer(first)}
    values = ", ".join(f"/** @type {{{kinds[name]}}} */ {name}" for name in names)
    body = _PLACE.sub(_shown, text.replace("`", "\\`"))
    return f"({values}) => `{body}`"


def _shown(match: re.Match[str]) -> str:
    name, how, one, many = match.groups()
    if how == "plural":
        return f"${{shown.plural({name}, {json.dumps(one)}, {json.dumps(many)})}}"
    return f"${{shown.{how}({name})}}" if how else f"${{{name}}}"
