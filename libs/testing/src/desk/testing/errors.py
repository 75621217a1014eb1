"""Errors of servers for tests.

ServersError
├── NotInstalledError            one way of getting a server is not available on this machine
├── ServerUnavailableError  no way was open
├── NotReadyError           it does not answer yet
├── ServerFailedError       it was started and ended, or did not answer in time
└── NotOwnedError            a server given by its address cannot be stopped or killed
"""

from collections.abc import Sequence


class ServersError(Exception):
    """Base of the errors of servers for tests."""


class NotInstalledError(ServersError):
    """One way of getting a server is not available on this machine. The message says why."""


class ServerUnavailableError(ServersError):
    """This kind of server is not available on this machine."""

    def __init__(self, kind: str, advice: str, reasons: Sequence[str]) -> None:
        super().__init__(f"No {kind} for the tests: {advice} (tried: {'; '.join(reasons)}).")


class NotReadyError(ServersError):
    """The server does not answer yet."""


class ServerFailedError(ServersError):
    """The server ended, or did not answer within its time."""


class NotOwnedError(ServersError):
    """The server was given by its address, so the tests must not stop, pause or kill it."""
