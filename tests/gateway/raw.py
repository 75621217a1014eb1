"""Bytes on a socket, for requests that no client library would send."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

DEADLINE_SECONDS = 30.0


def connect(url: str) -> socket.socket:
    """Open a connection to nginx."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE_SECONDS)


def say(url: str, text: bytes) -> bytes:
    """Send these bytes and return everything received until nginx closes or resets the connection."""
    with connect(url) as talk:
        received = b""
        with suppress(ConnectionError):
            talk.sendall(text)
        with suppress(ConnectionError):
            while piece := talk.recv(65536):
                received += piece
        return received


def status_of(answer: bytes) -> int:
    """Return the status of the status line."""
    assert answer.startswith(b"HTTP/1.1 "), answer[:60]
    return int(answer[9:12])
