"""Generates ``contracts/``: the contracts between services, with the pages and with the provinces.

One OpenAPI document per service, one AsyncAPI document for the events with a page for people, and an example per event.
"""

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from desk.contracts import asyncapi, catalogues, offices_page, official_holidays, pages, settings
from desk.contracts.contract_page import page
from desk.contracts.encrypted import Vectors
from desk.contracts.examples import examples
from desk.local.app import create_app
from desk.local.gateway_table import CHECKOUT, GATEWAY, LANGUAGES
from desk.local.services import LocalSettings

FOLDER = CHECKOUT / "contracts"
PUBLISHED = "published"
"""The folder with the last published contract; the generator does not write it."""
ENCRYPTED = "encrypted"
"""The folder with the encrypted examples and their keys."""
VECTORS = "vectors"
"""Test vectors, which are written by hand."""
_ASYNCAPI = "desk.asyncapi.json"


def documents() -> dict[str, str]:
    """Return the committed files of ``contracts/`` by their path there."""
    files = {f"{name}.openapi.json": _text(document) for name, document in _openapi().items()}
    vectors = _vectors()
    files[f"{ENCRYPTED}/keys.json"] = _text(vectors.keys)
    for each in examples():
        files[f"events/{each.event.name}.json"] = _text(each.envelope)
        files[f"{ENCRYPTED}/{each.event.name}.json"] = _text(vectors.envelope(each.event, each.envelope))
    files[_ASYNCAPI] = _text(_described())
    return files


@cache
def _vectors() -> Vectors:
    return Vectors(FOLDER / ENCRYPTED)


def _described() -> dict[str, Any]:
    return asyncapi.document(examples(), _vectors(), _openapi())


def built() -> dict[Path, str]:
    """Return the pages of the contract for people, which are built by ``make contracts`` and not committed."""
    described = _described()
    return {FOLDER / f"desk.asyncapi.{each}.html": page(described, each, whole=True) for each in LANGUAGES}


def copies() -> dict[Path, str]:
    """Return the generated files outside ``contracts/``: pages, the list of settings, and holidays."""
    described = _described()
    return (
        pages.documents()
        | settings.documents()
        | official_holidays.documents()
        | {
            **{GATEWAY / "web" / each / "contract.html": page(described, each, whole=False) for each in LANGUAGES},
            **{GATEWAY / "web" / each / "offices.html": offices_page.page(each) for each in LANGUAGES},
        }
    )


def write() -> None:
    """Write all generated files, and remove those that the code no longer generates."""
    wanted = documents()
    for path in _present():
        if path not in wanted:
            (FOLDER / path).unlink()
    copied = copies()
    for stray in pages.strays(copied):
        stray.unlink()
    for target, text in ({FOLDER / path: text for path, text in wanted.items()} | copied | built()).items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def differences() -> list[str]:
    """Return the paths of files that differ from what the code generates."""
    wanted = documents()
    present = {path: (FOLDER / path).read_text(encoding="utf-8") for path in _present()}
    differing = sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))
    differing += [f"gateway/words: {fault}" for fault in catalogues.faults()]
    copied = copies()
    differing += [f"{path.relative_to(CHECKOUT).as_posix()} is no longer generated" for path in pages.strays(copied)]
    return differing + [
        path.relative_to(CHECKOUT).as_posix()
        for path, text in copied.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def _present() -> list[str]:
    paths = (path.relative_to(FOLDER) for path in FOLDER.rglob("*.json"))
    return [path.as_posix() for path in paths if path.parts[0] not in {PUBLISHED, VECTORS}]


@cache
def _openapi() -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        services = create_app(LocalSettings(Path(folder))).services
    documents = {name: app.openapi() for name, app in services.items()}
    return {name: document for name, document in documents.items() if document["paths"]}


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
