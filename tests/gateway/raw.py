"""Bytes on a socket, for what no client library would send."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

PATIENCE_SECONDS = 30.0


def connect(url: str) -> socket.socket:
    """Open a connection to the door."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS)


def say(url: str, text: bytes) -> bytes:
    """Send these bytes and return everything that comes until the door closes; a reset is an end too."""
    with connect(url) as talk:
        heard = b""
        with suppress(ConnectionError):
            talk.sendall(text)
        with suppress(ConnectionError):
            while piece := talk.recv(65536):
                heard += piece
        return heard


def status_of(answer: bytes) -> int:
    """Read the status line."""
    assert answer.startswith(b"HTTP/1.1 "), answer[:60]
    return int(answer[9:12])
