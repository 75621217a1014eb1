"""The language of a page: requested, remembered, or Persian; the same in nginx and the embedded desk."""

import httpx
import pytest

from desk.local.gateway_table import GATEWAY

ENGLISH, PERSIAN = '<html lang="en" dir="ltr">', '<html lang="fa" dir="rtl">'
PAGES = [
    "/",
    "/send",
    "/track",
    "/my-requests",
    "/help",
    "/verify",
    "/figures",
    "/accessibility",
    "/privacy",
    "/contract",
]


def get_as_new_client(base_url: str, path: str, cookie: str = "") -> httpx.Response:
    """Send a GET without earlier cookies."""
    return httpx.get(f"{base_url.rstrip('/')}{path}", headers={"Cookie": cookie} if cookie else {})


@pytest.mark.parametrize("path", PAGES)
def test_every_page_exists_in_both_languages(base_url: str, path: str):
    for asked, opening in (("", PERSIAN), ("?lang=fa", PERSIAN), ("?lang=en", ENGLISH), ("?lang=xx", PERSIAN)):
        answer = get_as_new_client(base_url, f"{path}{asked}")
        assert (answer.status_code, opening in answer.text) == (200, True), asked


def test_a_chosen_language_is_remembered_and_a_new_choice_overrides_it(base_url: str):
    remembered = get_as_new_client(base_url, "/?lang=en").headers["set-cookie"]
    assert remembered == "language=en; Path=/; Max-Age=31536000; SameSite=Lax"
    assert ENGLISH in get_as_new_client(base_url, "/track", "language=en").text
    assert PERSIAN in get_as_new_client(base_url, "/track?lang=fa", "language=en").text
    assert PERSIAN in get_as_new_client(base_url, "/track", "language=klingon").text
    assert "set-cookie" not in get_as_new_client(base_url, "/track", "language=en").headers
    assert "set-cookie" not in get_as_new_client(base_url, "/?lang=klingon").headers


def test_errors_are_shown_in_the_language_too(base_url: str):
    wanted = (GATEWAY / "web" / "en" / "errors" / "not_found.html").read_text(encoding="utf-8")
    answer = get_as_new_client(base_url, "/nothing", "language=en")
    assert (answer.status_code, answer.text) == (404, wanted)


def test_a_page_has_one_address(base_url: str):
    for path in ("/fa/send", "/en/send.html", "/en", "/fa/errors/not_found.html", "/errors/not_found.html"):
        assert get_as_new_client(base_url, path).status_code == 404, path
