"""What can go wrong with a server for tests.

ServersError
├── NotHereError            one way of getting a server is not open on this machine; the next one is tried
├── ServerUnavailableError  no way was open
├── NotReadyError           it does not answer yet
├── ServerFailedError       it was started and ended, or did not answer in time
└── NotOursError            a server given by its address cannot be stopped or killed
"""

from collections.abc import Sequence


class ServersError(Exception):
    """Something about a server for tests."""


class NotHereError(ServersError):
    """One way of getting a server is not open on this machine. The message says why."""


class ServerUnavailableError(ServersError):
    """No way of getting this kind of server is open."""

    def __init__(self, kind: str, advice: str, reasons: Sequence[str]) -> None:
        super().__init__(f"No {kind} for the tests: {advice} (tried: {'; '.join(reasons)}).")


class NotReadyError(ServersError):
    """The server does not answer yet."""


class ServerFailedError(ServersError):
    """The server ended, or did not answer within its time."""


class NotOursError(ServersError):
    """The server was given by its address, so it is not ours to stop, pause or kill."""
