"""Installs django-helpdesk into an environment of its own and runs it with gunicorn on a PostgreSQL of this machine."""

import os
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import psutil
from support.embedded_desk import wait_for

from desk.testing.ports import free_port
from desk.testing.postgres import PostgresServer
from desk.testing.process import LocalProcess, new_folder

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
ENVIRONMENT = CHECKOUT / "build" / "helpdesk"
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Helpdesk:
    """A running helpdesk with one public queue."""

    url: str
    pid: int
    queue: int


@contextmanager
def open_helpdesk(postgres: PostgresServer, smtp_port: int) -> Iterator[Helpdesk]:
    """Run the helpdesk; its database and its process are removed at the end."""
    _install()
    name = f"helpdesk-{uuid.uuid4().hex[:8]}"
    settings = _settings(postgres.create_database(name, name, secrets.token_urlsafe(12)), smtp_port)
    prepared = subprocess.run(  # noqa: S603 - our own script
        [ENVIRONMENT / "bin" / "python", HERE / "project" / "prepare.py"],
        env=os.environ | settings,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = free_port()
    process = LocalProcess(
        [
            str(ENVIRONMENT / "bin" / "gunicorn"),
            f"--workers={2 * (psutil.cpu_count() or 1) + 1}",  # as gunicorn's documentation recommends
            f"--bind=127.0.0.1:{port}",
            "django.core.wsgi:get_wsgi_application()",
        ],
        folder=new_folder("helpdesk"),
        environment=settings,
    )
    process.start()
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(process, url), START_SECONDS)
        yield Helpdesk(url, process.pid or 0, int(prepared.stdout))
    finally:
        process.stop()
        process.close()
        postgres.drop_database(name)


def _install() -> None:
    """Install what requirements.lock names; quick if it is installed."""
    given = os.environ
    renamed = {"UV_DEFAULT_INDEX": "PIP_INDEX_URL", "SSL_CERT_FILE": "PIP_CERT"}  # uv does not read pip's settings
    environment = {new: given[old] for new, old in renamed.items() if old in given} | dict(given)
    uv = Path(sys.executable).with_name("uv")
    locked = ["--quiet", "--require-hashes", "--requirement", str(HERE / "requirements.lock")]
    for command in (
        ["venv", "--quiet", "--allow-existing", "--python", sys.executable, str(ENVIRONMENT)],
        ["pip", "install", *locked],
    ):
        subprocess.run([uv, *command], env=environment | {"VIRTUAL_ENV": str(ENVIRONMENT)}, check=True)  # noqa: S603 - ours


def _settings(database_url: str, smtp_port: int) -> Mapping[str, str]:
    parts = urlsplit(database_url)
    return {
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": str(HERE / "project"),
        "HELPDESK_SECRET_KEY": secrets.token_urlsafe(50),
        "HELPDESK_DATABASE": unquote(parts.path.removeprefix("/")),
        "HELPDESK_DATABASE_USER": unquote(parts.username or ""),
        "HELPDESK_DATABASE_PASSWORD": unquote(parts.password or ""),
        "HELPDESK_DATABASE_PORT": str(parts.port),
        "HELPDESK_SMTP_PORT": str(smtp_port),
    }


def _answers(process: LocalProcess, url: str) -> bool:
    if report := process.exit_report():
        raise SystemExit(f"the helpdesk ended: {report}")
    try:
        return httpx.get(f"{url}/tickets/submit/", timeout=10).is_success
    except httpx.TransportError:
        return False
