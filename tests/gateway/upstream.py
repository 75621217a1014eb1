"""A small service behind the gateway, which records its requests and can misbehave."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from desk.testing.ports import free_port


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """The port of the client: the same for all requests of one connection."""


@dataclass(slots=True)
class Upstream:
    """Responds to every request with its own name."""

    name: str
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    received: list[ReceivedRequest] = field(default_factory=list)
    misbehave: Callable[[BaseHTTPRequestHandler], bool] | None = None
    """Called instead of responding; returns True if it has handled the request."""
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def start(self) -> "Upstream":
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # a response is sent in one piece

            def do(self) -> None:
                self.close_connection = False
                upstream._answer(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - names of the library

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = _Server((self.host, self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = _body_of(handler)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.received.append(ReceivedRequest(handler.command, handler.path, headers, body, handler.client_address[1]))
        if self.misbehave is not None and self.misbehave(handler):
            return
        answer = self.name.encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(b"" if handler.command == "HEAD" else answer)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.close_connections()
            self._thread.join()
            self._server = self._thread = None


def _body_of(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
    pieces = []
    while length := int(handler.rfile.readline() or b"0", 16):
        pieces.append(handler.rfile.read(length))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(pieces)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for request in list(self._open):
            self.shutdown_request(request)


def hang_up(handler: BaseHTTPRequestHandler) -> bool:
    """Read the request and close the connection without a response."""
    handler.close_connection = True
    return True


def fall_silent(seconds: float) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Respond after a delay."""

    def wait(_: BaseHTTPRequestHandler) -> bool:
        time.sleep(seconds)
        return False

    return wait
