"""Where a server runs: a process or a container of the tests, or a given address."""

from typing import NoReturn, Protocol

from desk.testing.errors import NotOwnedError


class Machine(Protocol):
    """Starts, freezes and ends one server."""

    @property
    def ours(self) -> bool:
        """Whether it may be stopped, paused and killed."""

    @property
    def pid(self) -> int | None:
        """The server's process on this machine, if it has one."""

    def start(self) -> None:
        """Start, or start again on the same port and data."""

    def pause(self) -> None:
        """Freeze every process of the server, like a machine that hangs."""

    def resume(self) -> None:
        """Resume a paused server."""

    def kill(self) -> None:
        """End every process at once, as a crash would. The data stays."""

    def stop(self) -> None:
        """End the server in order. The data stays."""

    def close(self) -> None:
        """End the server and delete its data."""

    def exit_report(self) -> str | None:
        """Return why the server has ended, with the last lines of its log, or None while it runs."""


class GivenAddress:
    """A server at a given address: the tests use it and never stop it."""

    ours = False
    pid = None

    def start(self) -> NoReturn:
        raise _NOT_OURS

    def pause(self) -> NoReturn:
        raise _NOT_OURS

    def resume(self) -> NoReturn:
        raise _NOT_OURS

    def kill(self) -> NoReturn:
        raise _NOT_OURS

    def stop(self) -> NoReturn:
        raise _NOT_OURS

    def close(self) -> None:
        """Leave the server alone."""

    def exit_report(self) -> None:
        return None


_NOT_OURS = NotOwnedError(
    "This server was given by its address and is not ours to stop; "
    "unset its DESK_TEST_ variable to run this test against a server of its own."
)
