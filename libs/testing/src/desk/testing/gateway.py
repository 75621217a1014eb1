"""The real gateway for tests: nginx, started by the script that starts it in its container."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from desk.testing.errors import NotInstalledError, NotReadyError, ServerUnavailableError
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, find_program, new_folder
from desk.testing.server import Server, begin

ADVICE = "run tests/install-servers"
ANSWER_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class GatewayServer(Server):
    """A running gateway; `url` is its public address and `tls_url` the one with TLS, if it has a certificate."""

    url: str
    tls_url: str
    health_url: str

    def check(self) -> str:
        try:
            httpx.get(self.health_url, timeout=ANSWER_SECONDS, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error
        return ""

    @property
    def access_log(self) -> str:
        """The access log so far."""
        assert isinstance(self.machine, LocalProcess)  # noqa: S101  # there is no other kind of it
        return self.machine.log.read_text(encoding="utf-8")


def open_gateway(start: Path, upstreams: Mapping[str, str], **settings: str) -> GatewayServer:
    """Start a gateway on free ports by its script `start`.

    `upstreams` names each service's `host:port`, several by spaces; `settings` are those of the environment without
    their prefix, in lower case. Raises ServerUnavailableError without nginx, ServerFailedError if it does not start.
    """
    try:
        nginx = find_program("nginx", "/usr/sbin/nginx")
    except NotInstalledError as reason:
        raise ServerUnavailableError("nginx", ADVICE, [str(reason)]) from reason
    folder = new_folder("gateway")
    ports = [free_port() for _ in range(3)]
    given = {"folder": str(folder / "nginx"), "tls_folder": str(folder / "tls"), "workers": "2"}
    given |= dict(zip(("listen", "listen_tls", "listen_health"), (f"127.0.0.1:{port}" for port in ports), strict=True))
    given |= {service.replace("-", "_"): address for service, address in upstreams.items()}
    environment = {f"DESK_GATEWAY_{name.upper()}": value for name, value in (given | settings).items()}
    process = LocalProcess(
        ["/bin/sh", str(start), *(["user root;"] if os.geteuid() == 0 else [])],  # the folder is this account's alone
        folder=folder,
        abort_signal=signal.SIGTERM,  # killed, it would leave its workers behind
        environment=environment | {"PATH": f"{os.environ.get('PATH', '')}:{Path(nginx).parent}"},
    )
    return begin(
        GatewayServer(
            how="local nginx",
            machine=process,
            url=f"http://127.0.0.1:{ports[0]}",
            tls_url=f"https://127.0.0.1:{ports[1]}",
            health_url=f"http://127.0.0.1:{ports[2]}/health/live",
        )
    )
