"""Bundles of scripts and styles: served where they exist, otherwise their sources are; on both servers."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from desk.local.gateway_table import GATEWAY

ASSETS = GATEWAY / "web" / "assets"


@pytest.fixture
def bundle() -> Iterator[Path]:
    """A bundle in a language that no other test uses."""
    path = ASSETS / "bundles" / "xx" / "captcha.js"
    path.parent.mkdir(parents=True)
    path.write_text("export const bundled = true;\n", encoding="utf-8")
    yield path
    path.unlink()
    path.parent.rmdir()


def test_a_bundle_takes_precedence_over_its_source(base_url: str, bundle: Path):
    answer = httpx.get(f"{base_url}/assets/bundles/xx/captcha.js")
    assert (answer.status_code, answer.text) == (200, bundle.read_text(encoding="utf-8"))
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("asked", "source"), [("fa/words.en.js", "js/words.en.js"), ("field.css", "css/field.css")])
def test_without_a_bundle_its_source_is_served(base_url: str, asked: str, source: str):
    answer = httpx.get(f"{base_url}/assets/bundles/{asked}")
    assert (answer.status_code, answer.text) == (200, (ASSETS / source).read_text(encoding="utf-8"))
    assert re.match("(text|application)/(css|javascript)", answer.headers["content-type"])


@pytest.mark.parametrize(
    "asked", ["fa/none.js", "fa/../send.html", "fa/sub/send.js", "fa/send.js.map", "fa/", "font.woff2"]
)
def test_a_missing_source_is_not_found(base_url: str, asked: str):
    assert httpx.get(f"{base_url}/assets/bundles/{asked}").status_code == 404
