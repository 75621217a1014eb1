"""Bytes on a socket, for what no client library would send."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

PATIENCE_SECONDS = 30.0


def connect(url: str) -> socket.socket:
    """Open a connection to the nginx."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS)


def say(url: str, text: bytes) -> bytes:
    """Send these bytes and return everything that comes until the nginx closes; a reset is an end too."""
    with connect(url) as talk:
        received = b""
        with suppress(ConnectionError):
            talk.sendall(text)
        with suppress(ConnectionError):
            while piece := talk.recv(65536):
                received += piece
        return received


def status_of(answer: bytes) -> int:
    """Read the status line."""
    assert answer.startswith(b"HTTP/1.1 "), answer[:60]
    return int(answer[9:12])
