"""What a server runs on: a process of ours, a container of ours, or somebody else's machine."""

from typing import NoReturn, Protocol

from desk.testing.errors import NotOursError


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
        """Freeze every process of the server, as a hung machine would."""

    def resume(self) -> None:
        """Let a paused server go on."""

    def kill(self) -> None:
        """End every process at once, as a crash would. The data stays."""

    def stop(self) -> None:
        """End the server in order. The data stays."""

    def close(self) -> None:
        """End the server and throw its data away."""

    def obituary(self) -> str | None:
        """Return why the server has ended, with the last lines of its log, or None while it runs."""


class GivenAddress:
    """Somebody else's server: it is used and never touched."""

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

    def obituary(self) -> None:
        return None


_NOT_OURS = NotOursError(
    "This server was given by its address and is not ours to stop; "
    "unset its DESK_TEST_ variable to run this test against a server of its own."
)
