"""An S3 server for tests: MinIO, or moto's where that cannot be had."""

import os
import secrets
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException

from desk.testing.certificates import Certificate
from desk.testing.errors import NotReadyError
from desk.testing.machine import GivenAddress
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, find_program, new_folder
from desk.testing.server import Environment, Server, begin, first_of, given, image_of

ADVICE = "run tests/install-servers, or name a server of yours in DESK_TEST_S3_ENDPOINT"
IMAGE = "pgsty/silo:latest"  # a maintained build of MinIO; upstream publishes none any more
ANSWER_SECONDS = 5.0
REGION = "us-east-1"
ACCESS_KEY = "tests-access-key"

Kind = Literal["minio", "moto", "other"]


@dataclass(frozen=True, kw_only=True)
class S3Server(Server):
    """`endpoint` is host:port, as the minio SDK takes it; `secure` says whether it speaks TLS."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str = REGION
    secure: bool = False
    kind: Kind
    release: str = ""  # S3 has no call that returns it

    @property
    def url(self) -> str:
        """The endpoint as a URL, for clients that take one."""
        return f"{'https' if self.secure else 'http'}://{self.endpoint}"

    @property
    def keeps_objects(self) -> bool:
        """Whether objects survive a restart: moto has them in memory only."""
        return self.kind != "moto"

    def check(self) -> str:
        pool = urllib3.PoolManager(timeout=ANSWER_SECONDS, retries=False)
        client = Minio(
            self.endpoint,
            access_key=self.access_key,
            secret_key=self.secret_key,
            region=self.region,
            secure=self.secure,
            http_client=pool,
        )
        try:
            client.list_buckets()
        except (OSError, MinioException, urllib3.exceptions.HTTPError) as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error
        finally:
            pool.clear()
        return self.release


def open_s3(environment: Environment = os.environ) -> S3Server:
    """Return an S3 server: the given one, one in Docker, the local MinIO, or moto's."""
    return first_of("S3 server", (given_s3, docker_s3, local_minio, local_moto), environment, ADVICE)


def given_s3(environment: Environment) -> S3Server:
    """Return the server at DESK_TEST_S3_ENDPOINT with the keys and region of the DESK_TEST_S3_ variables."""
    address = given(environment, "DESK_TEST_S3_ENDPOINT")
    parts = urlsplit(address if "://" in address else f"http://{address}")
    return begin(
        S3Server(
            how="given address",
            machine=GivenAddress(),
            endpoint=parts.netloc,
            access_key=given(environment, "DESK_TEST_S3_ACCESS_KEY"),
            secret_key=given(environment, "DESK_TEST_S3_SECRET_KEY"),
            region=environment.get("DESK_TEST_S3_REGION", REGION),
            secure=parts.scheme == "https",
            kind="other",
        )
    )


def docker_s3(environment: Environment) -> S3Server:
    """Return a server in a container of S3_IMAGE, a build of MinIO."""
    from desk.testing.container import Container  # noqa: PLC0415  # slow to import, and only needed here

    image, port, secret = image_of(environment, "S3", IMAGE), free_port(), secrets.token_hex(12)
    container = Container(
        image,
        ports={9000: port},
        environment=_minio_settings(secret),
        command=["server", "/data", "--address", ":9000"],
    )
    return begin(
        S3Server(
            how=f"docker image {image}",
            machine=container,
            endpoint=f"{container.host}:{port}",
            access_key=ACCESS_KEY,
            secret_key=secret,
            kind="minio",
        )
    )


def local_minio(environment: Environment = os.environ, *, certificate: Certificate | None = None) -> S3Server:
    """Return a MinIO from the binary in PATH, or from the one that tests/install-servers built.

    With a certificate it speaks TLS only, and ``SSL_CERT_FILE`` must name its authority.
    """
    built = _cache(environment) / "minio"
    program = find_program("minio", str(built))
    release = built.with_suffix(".version")
    folder, port, secret = new_folder("minio"), free_port(), secrets.token_hex(12)
    if certificate is not None:
        certificate.write(folder / "certs", "public.crt", "private.key")
    command = [program, "server", "--quiet", "--address", f"127.0.0.1:{port}", "--certs-dir", str(folder / "certs")]
    process = LocalProcess([*command, str(folder / "data")], folder=folder, environment=_minio_settings(secret))
    return begin(
        S3Server(
            how="local binary minio",
            machine=process,
            endpoint=f"{'127.0.0.1' if certificate is None else 'localhost'}:{port}",
            secure=certificate is not None,
            access_key=ACCESS_KEY,
            secret_key=secret,
            kind="minio",
            release=release.read_text().strip() if program == str(built) and release.exists() else "",
        )
    )


def local_moto(_: Environment | None = None) -> S3Server:
    """Return moto's server, which behaves like S3 and stores objects in memory."""
    folder, port = new_folder("moto"), free_port()
    process = LocalProcess([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], folder=folder)
    return begin(
        S3Server(
            how="moto",
            machine=process,
            endpoint=f"127.0.0.1:{port}",
            access_key=ACCESS_KEY,
            secret_key=secrets.token_hex(12),
            kind="moto",
            release=version("moto"),
        )
    )


def _minio_settings(secret: str) -> dict[str, str]:
    return {
        "MINIO_ROOT_USER": ACCESS_KEY,
        "MINIO_ROOT_PASSWORD": secret,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_REGION": REGION,
    }


def _cache(environment: Environment) -> Path:
    """Return the folder into which tests/install-servers builds."""
    if chosen := environment.get("DESK_SERVERS_CACHE"):
        return Path(chosen)
    folders = [*Path(__file__).resolve().parents, Path.cwd(), *Path.cwd().parents]
    checkout = next((folder for folder in folders if (folder / "tests" / "install-servers").is_file()), Path.cwd())
    return checkout / ".cache" / "servers"
