"""What all servers for tests have in common, and how one is chosen."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self, TypeVar

from desk.testing.errors import NotInstalledError, NotReadyError, ServerFailedError, ServerUnavailableError
from desk.testing.machine import Machine

GIVEN_SECONDS = 10.0
START_SECONDS = 60.0
POLL_SECONDS = 0.05

Environment = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Server(ABC):
    """A running server; use it in a `with` block or call `close`.

    `how` describes how it was obtained, `notes` why earlier ways failed.
    All methods block; inside a running event loop call them through `asyncio.to_thread`.
    """

    how: str
    machine: Machine = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether the tests may stop, pause and kill it."""
        return self.machine.ours

    @property
    def pid(self) -> int | None:
        """Its process on this machine, if it has one."""
        return self.machine.pid

    @abstractmethod
    def check(self) -> str:
        """Make a round trip and return the server's version, if it reports one. Raises NotReadyError."""

    def wait_until_ready(self) -> str:
        """Repeat the round trip until it succeeds and return the version. Raises ServerFailedError."""
        seconds = START_SECONDS if self.ours else GIVEN_SECONDS
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.check()
            except NotReadyError as error:
                exit_report = self.machine.exit_report()
                if exit_report:
                    raise ServerFailedError(f"{self.how}: {exit_report}") from error
                if time.monotonic() > deadline:
                    raise ServerFailedError(f"{self.how}: no answer within {seconds:.0f} s ({error})") from error
            time.sleep(POLL_SECONDS)

    def start(self) -> None:
        """Start again on the same port and data, and wait for a round trip."""
        self.machine.start()
        self.wait_until_ready()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self.machine.pause()

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self.machine.resume()

    def kill(self) -> None:
        """Crash it. `start` brings it back with its data."""
        self.machine.kill()

    def stop(self) -> None:
        """Stop it gracefully. `start` brings it back with its data."""
        self.machine.stop()

    def close(self) -> None:
        """End the server and delete its data. A given server is not stopped."""
        self.machine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


S = TypeVar("S", bound=Server)


def begin(server: S) -> S:
    """Start a server unless it was given, wait for it, and add its version to `how`."""
    try:
        if server.ours:
            server.machine.start()
        version = server.wait_until_ready()
    except BaseException:
        server.close()
        raise
    return replace(server, how=f"{server.how}, version {version}") if version else server


def first_of(kind: str, ways: Sequence[Callable[[Environment], S]], environment: Environment, advice: str) -> S:
    """Return a server by the first way that is open. Raises ServerUnavailableError, or ServerFailedError."""
    reasons: list[str] = []
    for way in ways:
        try:
            server = way(environment)
        except NotInstalledError as reason:
            reasons.append(str(reason))
        else:
            return replace(server, notes=tuple(reasons))
    raise ServerUnavailableError(kind, advice, reasons)


def given(environment: Environment, name: str) -> str:
    """Return the address in the environment variable `name`. Raises NotInstalledError."""
    address = environment.get(name, "").strip()
    if not address:
        raise NotInstalledError(f"{name} is not set")
    return address


def image_of(environment: Environment, kind: str, default: str) -> str:
    """Return the image to run, named for the tests alone or by the variable that Compose reads (POSTGRES_IMAGE)."""
    return environment.get(f"DESK_TEST_{kind}_IMAGE") or environment.get(f"{kind}_IMAGE") or default
