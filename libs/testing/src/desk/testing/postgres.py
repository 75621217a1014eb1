"""A PostgreSQL server for tests."""

import asyncio
import os
import pwd
import secrets
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import asyncpg

from desk.testing.certificates import Certificate
from desk.testing.errors import NotReadyError, ServerFailedError
from desk.testing.machine import GivenAddress
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, clean_environment, find_program, new_folder
from desk.testing.server import Environment, Server, begin, first_of, given, image_of

ADVICE = "run tests/install-servers, or name a server of yours in DESK_TEST_POSTGRES_URL"
IMAGE = "postgres:17"
CONNECT_SECONDS = 3.0
INITDB_SECONDS = 120
INITDB_OPTIONS = ("--encoding=UTF8", "--no-locale", "--no-sync")

# What is written survives the death of the server either way: fsync only matters when the machine itself dies.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "300"}

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PostgresServer(Server):
    """`dsn` is the superuser's for asyncpg and psql; `url` is the same for SQLAlchemy."""

    dsn: str

    @property
    def url(self) -> str:
        return _for_sqlalchemy(self.dsn)

    def check(self) -> str:
        try:
            return str(self._run(lambda connection: connection.fetchval("SHOW server_version")))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error

    def create_database(self, name: str, role: str, password: str) -> str:
        """Create a database that only `role` may use, and return its URL for SQLAlchemy.

        The role is created too, or given the password if it is there. Raises asyncpg.DuplicateDatabaseError.
        """

        async def create(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
            known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if known else "CREATE"
            await connection.execute(f"{verb} ROLE {_name(role)} LOGIN PASSWORD {_literal(password)}")
            await connection.execute(f"CREATE DATABASE {_name(name)} OWNER {_name(role)}")
            await connection.execute(f"REVOKE ALL ON DATABASE {_name(name)} FROM PUBLIC")

        self._run(create)
        return self._url_of(name, role, password)

    def create_role(self, database: str, role: str, password: str) -> str:
        """Create a role that may connect to a database of another one, or give it the password; return its URL."""

        async def create(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
            known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if known else "CREATE"
            await connection.execute(f"{verb} ROLE {_name(role)} LOGIN PASSWORD {_literal(password)}")
            await connection.execute(f"GRANT CONNECT ON DATABASE {_name(database)} TO {_name(role)}")

        self._run(create)
        return self._url_of(database, role, password)

    def _url_of(self, database: str, role: str, password: str) -> str:
        parts = urlsplit(self.dsn)
        place = f"{parts.hostname}:{parts.port or 5432}"
        user = f"{quote(role, safe='')}:{quote(password, safe='')}"
        return _for_sqlalchemy(f"postgresql://{user}@{place}/{quote(database)}")

    def drop_database(self, name: str) -> None:
        """Drop a database and end the connections to it; a missing one is no error."""
        self._run(lambda connection: connection.execute(f"DROP DATABASE IF EXISTS {_name(name)} WITH (FORCE)"))

    def _run(self, work: Callable[["asyncpg.Connection[asyncpg.Record]"], Awaitable[T]]) -> T:
        async def connected() -> T:
            connection = await asyncpg.connect(self.dsn, timeout=CONNECT_SECONDS)
            try:
                return await work(connection)
            finally:
                await connection.close()

        # A thread of its own, because the caller's may have a running event loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, connected()).result()


def open_postgres(
    environment: Environment = os.environ, *, settings: Mapping[str, str] | None = None
) -> PostgresServer:
    """Return a PostgreSQL: the given one, one in Docker, or the local binary with `settings` over SETTINGS."""

    def local(_: Environment) -> PostgresServer:
        return local_postgres(SETTINGS | dict(settings or {}))

    return first_of("PostgreSQL", (given_postgres, docker_postgres, local), environment, ADVICE)


def given_postgres(environment: Environment) -> PostgresServer:
    """Return the server at DESK_TEST_POSTGRES_URL, which holds a superuser's name and password."""
    dsn = given(environment, "DESK_TEST_POSTGRES_URL").replace("postgresql+asyncpg://", "postgresql://", 1)
    return begin(PostgresServer(how="given address", machine=GivenAddress(), dsn=dsn))


def docker_postgres(environment: Environment) -> PostgresServer:
    """Return a server in a container of POSTGRES_IMAGE."""
    from desk.testing.container import Container  # noqa: PLC0415  # slow to import, and only needed here

    image, port, password = image_of(environment, "POSTGRES", IMAGE), free_port(), secrets.token_urlsafe(12)
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    container = Container(
        image, ports={5432: port}, environment={"POSTGRES_PASSWORD": password}, command=["postgres", *settings]
    )
    dsn = f"postgresql://postgres:{password}@{container.host}:{port}/postgres"
    return begin(PostgresServer(how=f"docker image {image}", machine=container, dsn=dsn))


def local_postgres(settings: Mapping[str, str] = SETTINGS, certificate: Certificate | None = None) -> PostgresServer:
    """Return a server from the binaries of this machine; with a certificate it offers TLS."""
    postgres = find_program("postgres", "/usr/lib/postgresql/*/bin/postgres", "/usr/pgsql-*/bin/postgres")
    initdb = str(Path(postgres).resolve().with_name("initdb"))
    account = _account()
    folder = new_folder("postgres", account=account)
    port, password = free_port(), secrets.token_urlsafe(12)
    _make_cluster(initdb, folder, password, account)
    fixed = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
    if certificate is not None:
        certificate.write(folder / "data", "server.crt", "server.key", account=account)
        fixed["ssl"] = "on"
    options = [word for name, value in (fixed | dict(settings)).items() for word in ("-c", f"{name}={value}")]
    process = LocalProcess(
        [postgres, "-D", str(folder / "data"), *options],
        folder=folder,
        account=account,
        stop_signal=signal.SIGINT,  # ends the sessions; SIGTERM would wait for them
        abort_signal=signal.SIGQUIT,  # ends at once, but takes the backends and the shared memory along
    )
    dsn = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    return begin(PostgresServer(how="local binary postgres", machine=process, dsn=dsn))


def _make_cluster(initdb: str, folder: Path, password: str, account: str | None) -> None:
    secret = folder / "password"
    secret.write_text(password)
    done = subprocess.run(  # noqa: S603  # a program found on this machine, with our arguments
        [initdb, "-D", folder / "data", "-U", "postgres", "-A", "scram-sha-256", "--pwfile", secret, *INITDB_OPTIONS],
        cwd=folder,
        env=clean_environment(folder),
        user=account,
        capture_output=True,
        text=True,
        timeout=INITDB_SECONDS,
        check=False,
    )
    secret.unlink()
    if done.returncode:
        raise ServerFailedError(f"initdb ended with status {done.returncode}: {done.stderr.strip()}")


def _account() -> str | None:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _for_sqlalchemy(dsn: str) -> str:
    return "postgresql+asyncpg://" + dsn.split("://", 1)[1]


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
