"""Which language a page is in: asked for, remembered, or Persian; nginx and the embedded desk alike."""

import httpx
import pytest

from desk.local.gateway_table import GATEWAY

ENGLISH, PERSIAN = '<html lang="en" dir="ltr">', '<html lang="fa" dir="rtl">'
PAGES = ["/", "/send", "/track", "/help", "/verify", "/accessibility", "/privacy", "/contract"]


def visit(base_url: str, path: str, cookie: str = "") -> httpx.Response:
    """Ask as a new visitor."""
    return httpx.get(f"{base_url.rstrip('/')}{path}", headers={"Cookie": cookie} if cookie else {})


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_in_both_languages(base_url: str, path: str):
    for asked, opening in (("", PERSIAN), ("?lang=fa", PERSIAN), ("?lang=en", ENGLISH), ("?lang=xx", PERSIAN)):
        answer = visit(base_url, f"{path}{asked}")
        assert (answer.status_code, opening in answer.text) == (200, True), asked


def test_a_chosen_language_is_remembered_and_another_choice_is_stronger(base_url: str):
    remembered = visit(base_url, "/?lang=en").headers["set-cookie"]
    assert remembered == "language=en; Path=/; Max-Age=31536000; SameSite=Lax"
    assert ENGLISH in visit(base_url, "/track", "language=en").text
    assert PERSIAN in visit(base_url, "/track?lang=fa", "language=en").text
    assert PERSIAN in visit(base_url, "/track", "language=klingon").text
    assert "set-cookie" not in visit(base_url, "/track", "language=en").headers
    assert "set-cookie" not in visit(base_url, "/?lang=klingon").headers


def test_an_error_is_told_in_the_language_too(base_url: str):
    wanted = (GATEWAY / "web" / "en" / "errors" / "not_found.html").read_text(encoding="utf-8")
    answer = visit(base_url, "/nothing", "language=en")
    assert (answer.status_code, answer.text) == (404, wanted)


def test_a_page_has_one_address(base_url: str):
    for path in ("/fa/send", "/en/send.html", "/en", "/fa/errors/not_found.html", "/errors/not_found.html"):
        assert visit(base_url, path).status_code == 404, path
