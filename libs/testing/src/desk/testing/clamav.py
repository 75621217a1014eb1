"""A ClamAV daemon for tests, with one signature of its own: EICAR's test text, wherever it is in a file."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from desk.testing.errors import NotReadyError
from desk.testing.hostile_files import EICAR
from desk.testing.machine import GivenAddress
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, find_program, new_folder
from desk.testing.server import Environment, Server, begin, first_of, given

ADVICE = "run scripts/install-for-tests, or name a clamd of yours in DESK_TEST_CLAMAV_URL (tcp://host:port)"
ANSWER_SECONDS = 3.0
SIGNATURE = f"Desk.Test.EICAR:0:*:{EICAR.hex()}\n"
"""A line of a signature file (.ndb): name, any type of file, any position, the bytes."""


@dataclass(frozen=True, kw_only=True)
class ClamServer(Server):
    """`url` is `tcp://host:port`."""

    url: str

    def check(self) -> str:
        host, _, port = self.url.removeprefix("tcp://").rpartition(":")
        try:
            with socket.create_connection((host, int(port)), ANSWER_SECONDS) as connection:
                connection.sendall(b"zVERSION\0")
                return connection.recv(200).rstrip(b"\0").decode().partition("/")[0].removeprefix("ClamAV ")
        except OSError as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error


def open_clamav(environment: Environment = os.environ) -> ClamServer:
    """Return a clamd: the given one, or the local program."""
    return first_of("ClamAV", (given_clamav, local_clamav), environment, ADVICE)


def given_clamav(environment: Environment) -> ClamServer:
    """Return the server at DESK_TEST_CLAMAV_URL."""
    return begin(
        ClamServer(how="given address", machine=GivenAddress(), url=given(environment, "DESK_TEST_CLAMAV_URL"))
    )


def local_clamav(_: Environment | None = None) -> ClamServer:
    """Return a server from the program of this machine."""
    program = find_program("clamd")
    folder, port = new_folder("clamav"), free_port()
    process = LocalProcess([program, "--config-file", str(_configure(folder, port))], folder=folder)
    return begin(ClamServer(how="local program clamd", machine=process, url=f"tcp://127.0.0.1:{port}"))


def _configure(folder: Path, port: int) -> Path:
    signatures, file = folder / "signatures", folder / "clamd.conf"
    signatures.mkdir()
    (signatures / "desk.ndb").write_text(SIGNATURE, encoding="ascii")
    options = {
        "DatabaseDirectory": signatures,
        "TCPSocket": port,
        "TCPAddr": "127.0.0.1",
        "Foreground": "yes",
        "TemporaryDirectory": folder,
        "MaxThreads": 4,
    }
    file.write_text("".join(f"{name} {value}\n" for name, value in options.items()), encoding="utf-8")
    return file
