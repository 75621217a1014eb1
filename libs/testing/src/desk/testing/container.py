"""Runs a server in a Docker container through testcontainers, where an engine runs and the image is available."""

import atexit
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import docker  # type: ignore[import-untyped]  # ships no types
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]

from desk.testing.errors import NotInstalledError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its own modules warn about each other
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

ENGINE_SECONDS = 3
REQUEST_SECONDS = 60
PULL_SECONDS = 300
STOP_SECONDS = 20
SOCKET = Path("/var/run/docker.sock")


class Container:
    """A container whose ports stay the same when it is started again."""

    ours = True
    pid = None

    def __init__(
        self,
        image: str,
        *,
        ports: Mapping[int, int],
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
    ) -> None:
        """Prepare a container of `image`; `ports` maps its ports to ours. Raises NotInstalledError."""
        require_engine()
        fetch_image(image)
        _reap_if_possible()
        self._container = DockerContainer(image).with_envs(**(environment or {})).with_kwargs(hostname="desk")
        for inside, outside in ports.items():
            self._container.with_bind_ports(inside, outside)
        if command:
            self._container.with_command(list(command))
        self._created = False

    @property
    def host(self) -> str:
        """The address at which the container's ports are ours."""
        host = self._container.get_docker_client().host()
        return "127.0.0.1" if host == "localhost" else host

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
            return
        atexit.register(self.close)
        self._created = True
        try:
            self._container.start()
        except DockerException as error:
            raise NotInstalledError(
                f"Docker could not start a container of {self._container.image}: {error}"
            ) from error

    def pause(self) -> None:
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        self._container.get_wrapped_container().unpause()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()
        self._container.get_wrapped_container().wait(timeout=STOP_SECONDS)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop(timeout=STOP_SECONDS)

    def close(self) -> None:
        atexit.unregister(self.close)
        self._container.stop()

    def exit_report(self) -> str | None:
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status in {"created", "running", "paused"}:
            return None
        log = container.logs(tail=15).decode(errors="replace")
        return f"its container is {container.status}: {' | '.join(log.splitlines())}"


@cache
def _engine_trouble() -> str | None:
    if os.environ.get("DESK_TEST_WITHOUT_DOCKER"):
        return "DESK_TEST_WITHOUT_DOCKER is set"
    if "DOCKER_HOST" not in os.environ and not SOCKET.exists():
        return "no Docker engine answers"  # asked all the same, the library would leave a socket unclosed
    try:
        client = docker.from_env(timeout=ENGINE_SECONDS)
    except DockerException:
        return "no Docker engine answers"
    try:
        client.ping()
    except (DockerException, OSError):
        return "no Docker engine answers"
    finally:
        client.close()
    return None


def require_engine() -> None:
    """Raise NotInstalledError unless a Docker engine responds."""
    trouble = _engine_trouble()
    if trouble:
        raise NotInstalledError(trouble)


def fetch_image(image: str) -> None:
    """Pull the image unless the engine has it. Raises NotInstalledError."""
    client = docker.from_env(timeout=REQUEST_SECONDS)
    try:
        client.images.get(image)
    except ImageNotFound:
        _pull(client, image)
    except (DockerException, OSError) as error:
        raise NotInstalledError(f"Docker does not say whether it has {image}: {error}") from error
    finally:
        client.close()


def _pull(client: docker.DockerClient, image: str) -> None:
    deadline = time.monotonic() + PULL_SECONDS
    name, tag = docker.utils.parse_repository_tag(image)
    try:
        for step in client.api.pull(name, tag=tag or "latest", stream=True, decode=True):
            if "error" in step:
                raise NotInstalledError(f"Docker cannot pull {image}: {step['error']}")
            if time.monotonic() > deadline:
                raise NotInstalledError(f"Docker did not pull {image} within {PULL_SECONDS} s")
    except (DockerException, OSError) as error:
        raise NotInstalledError(
            f"Docker cannot pull {image}: {getattr(error, 'explanation', None) or error}"
        ) from error


def _reap_if_possible() -> None:
    # testcontainers has a second container clear up after tests that die; where its image cannot be had, the
    # finalizers here must do.
    if not testcontainers_config.ryuk_disabled:
        try:
            fetch_image(testcontainers_config.ryuk_image)
        except NotInstalledError:
            testcontainers_config.ryuk_disabled = True
