"""A user of the console over HTTP, without a browser: reads and sends the forms of its pages."""

import re
from html import unescape
from typing import Any, Self

import httpx

DEMONSTRATION = "/demo/expert"
PASSWORD = "namayeshi-1405"
_FORM_WORD = re.compile(r'name="form_word" value="([^"]+)"')


class ConsoleClient:
    """The session of an account; ``text`` is the open page."""

    def __init__(self, url: str, path: str = DEMONSTRATION) -> None:
        self.client = httpx.Client(base_url=f"{url}{path}", timeout=20, follow_redirects=True)
        self.answer: httpx.Response | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @property
    def text(self) -> str:
        """The open page."""
        assert self.answer is not None
        return unescape(self.answer.text)

    @property
    def path(self) -> str:
        """The path of the open page."""
        assert self.answer is not None
        return str(self.answer.url.path)

    def open(self, path: str, **query: str) -> str:
        """Open a page."""
        self.answer = self.client.get(path, params=query)
        return self.text

    def send(self, path: str, *, files: Any = None, **fields: Any) -> str:
        """Send a form of the open page."""
        found = _FORM_WORD.search(self.text)
        assert found is not None, self.text
        self.answer = self.client.post(path, data={"form_word": unescape(found[1]), **fields}, files=files)
        return self.text

    def sign_in(self, username: str, password: str = PASSWORD) -> Self:
        """Sign in with user name and password."""
        self.open("/sign-in")
        self.send("/sign-in", username=username, password=password)
        return self
