"""Puts a broker into its memory alarm, in which it blocks publishers."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk.testing.errors import NotOwnedError
from desk.testing.process import LocalProcess, find_program
from desk.testing.rabbit import RabbitServer

COMMAND_SECONDS = 60
DEBIANS = "/usr/lib/rabbitmq/bin/rabbitmqctl"
NO_MEMORY, USUAL_MEMORY = "0.0000001", "0.4"


@contextmanager
def out_of_memory(server: RabbitServer) -> Iterator[None]:
    """Let the broker run out of memory by its own limit. Raises NotOwnedError for a broker that is given by address."""
    _control(server, "set_vm_memory_high_watermark", NO_MEMORY)
    try:
        yield
    finally:
        _control(server, "set_vm_memory_high_watermark", USUAL_MEMORY)


def _control(server: RabbitServer, *arguments: str) -> None:
    machine = server.machine
    if isinstance(machine, LocalProcess):
        environment = machine._environment
        done = subprocess.run(  # noqa: S603 - the broker's own command
            [_program(), "-n", environment["RABBITMQ_NODENAME"], *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    elif server.ours:
        container = machine._container.get_wrapped_container()
        status, said = container.exec_run(["rabbitmqctl", *arguments])
        assert status == 0, said
    else:
        raise NotOwnedError("a broker given by its address cannot be put into a memory alarm")


def _program() -> str:
    # Debian's script in the path changes to its own user and folders; this one does not.
    return DEBIANS if Path(DEBIANS).is_file() else find_program("rabbitmqctl")
