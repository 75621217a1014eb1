"""Records what pages request, and their errors."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response


class Watch:
    """Records the requests and errors of all pages of a test."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self._home = urlsplit(home).netloc
        self.requests: list[Request] = []
        self.faults: list[str] = []
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))

    def sent(self, method: str, path: str) -> int:
        """Count the requests to a path of the desk."""
        return sum(each.method == method and urlsplit(each.url).path == path for each in self.requests)

    @property
    def strangers(self) -> list[str]:
        """Addresses on other hosts."""
        asked = {each.url for each in self.requests if urlsplit(each.url).scheme not in {"data", "blob"}}
        return sorted(url for url in asked if urlsplit(url).netloc != self._home)

    def _request(self, request: Request) -> None:
        self.requests.append(request)

    def _response(self, response: Response) -> None:
        """Check that a page has a policy that allows nothing unsafe."""
        policy = response.headers.get("content-security-policy", "")
        if "text/html" not in response.headers.get("content-type", ""):
            return
        if "default-src 'none'" not in policy or "unsafe" in policy:
            self.faults.append(f"{response.url} has the policy {policy!r}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        # A refusal by the desk is logged by the browser and is no error of the page.
        if message.text.startswith("Failed to load resource") and "status of 4" in message.text:
            return
        # Only a test cuts the connection or aborts a request, and it checks what the page does then.
        if "net::ERR_INTERNET_DISCONNECTED" in message.text or "net::ERR_FAILED" in message.text:
            return
        self.faults.append(message.text)
