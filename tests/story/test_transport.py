"""Every connection to a store, the broker and the mail server can be encrypted, and then the server is verified.

A server with a certificate of an authority that is not trusted, or for another name, is refused.
"""

import asyncio
import ssl
import urllib.parse

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text

from desk.chassis.bus.broker import BrokerUnavailableError
from desk.chassis.bus.rabbit.connection import open_connection
from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.redis import connect, within_time
from desk.chassis.s3 import S3Settings, S3Store
from desk.chassis.storage import ObjectStoreUnavailableError
from desk.database import Database
from desk.notifier.channels.smtp import SmtpChannel
from desk.notifier.domain import ChannelUnavailableError, OutgoingMessage
from desk.testing.certificates import Authority
from desk.testing.ports import free_port
from desk.testing.postgres import local_postgres
from desk.testing.rabbit import local_rabbit
from desk.testing.redis import local_redis
from desk.testing.s3 import local_minio

RIGHT, OTHER_NAME = "localhost", "127.0.0.1"
"""Certificates name localhost only, so the same server under its address is another one."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue(RIGHT)


@pytest.fixture
def trusted(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


@pytest.fixture
def untrusted(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path).file))


@pytest.fixture(scope="module")
def postgres(certificate):
    with local_postgres(certificate=certificate) as server:
        yield server


@pytest.fixture(scope="module")
def rabbit(certificate):
    with local_rabbit(certificate=certificate) as server:
        yield server


@pytest.fixture(scope="module")
def redis(certificate):
    with local_redis(certificate=certificate) as server:
        yield server


@pytest.fixture(scope="module")
def minio(certificate, authority):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority.file))
        server = local_minio(certificate=certificate)
    with server:
        yield server


class Mailbox:
    def __init__(self):
        self.received = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        self.received.append(envelope.content)
        return "250 OK"


@pytest.fixture(scope="module")
def mail(certificate, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mail")
    certificate.write(folder, "mail.crt", "mail.key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "mail.crt", folder / "mail.key")
    controller = Controller(
        Mailbox(), hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True
    )
    controller.start()
    yield controller
    controller.stop()


def placed(url, host, **changes):
    parts = urllib.parse.urlsplit(url)
    place = f"{parts.netloc.rpartition('@')[0]}@{host}:{changes.pop('port', parts.port)}"
    return parts._replace(netloc=place, **changes).geturl()


async def use_database(postgres, host):
    database = Database(placed(postgres.url, host, query="ssl=verify-full"))
    try:
        async with database.read() as session:
            query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert (await session.execute(text(query))).scalar_one() is True
    finally:
        await database.close()


async def use_broker(rabbit, host):
    connection = await open_connection(
        placed(rabbit.amqp_url, host, scheme="amqps", port=rabbit.tls_port), confirms=True
    )
    await connection.close()


async def use_redis(redis, host):
    client = connect(placed(redis.url, host, scheme="rediss", port=redis.tls_port))
    try:
        await within_time(client.ping())
    finally:
        await client.aclose()


async def use_objects(minio, host):
    endpoint = f"{host}:{minio.endpoint.rpartition(':')[2]}"
    store = S3Store(S3Settings(endpoint, minio.access_key, minio.secret_key, "transport"))
    await store.set_up()


async def use_mail(mail, host):
    channel = SmtpChannel(host=host, port=mail.port, tls="starttls", sender="desk@example.ir")
    message = OutgoingMessage(
        reference="a", recipient="zahra@example.ir", subject="s", text="t", html=None, wording="w", values={}
    )
    try:
        await channel.send(message)
    finally:
        await channel.close()


USES = {
    "postgres": (use_database, (ssl.SSLError, OSError)),
    "rabbit": (use_broker, BrokerUnavailableError),
    "redis": (use_redis, ServiceUnavailableError),
    "minio": (use_objects, ObjectStoreUnavailableError),
    "mail": (use_mail, ChannelUnavailableError),
}


@pytest.fixture(params=USES)
def use(request):
    function, error = USES[request.param]
    server = request.getfixturevalue(request.param)
    return (lambda host: function(server, host)), error


@pytest.mark.usefixtures("trusted")
async def test_a_server_of_a_trusted_authority_is_used_encrypted(use):
    await asyncio.wait_for(use[0](RIGHT), 30)


@pytest.mark.usefixtures("trusted")
async def test_a_server_under_another_name_is_refused(use):
    with pytest.raises(use[1]):
        await asyncio.wait_for(use[0](OTHER_NAME), 30)


@pytest.mark.usefixtures("untrusted")
async def test_a_server_of_another_authority_is_refused(use):
    with pytest.raises(use[1]):
        await asyncio.wait_for(use[0](RIGHT), 30)


def test_the_address_of_a_database_cannot_ask_for_less(postgres):
    with pytest.raises(ValueError, match="verify-full"):
        Database(placed(postgres.url, RIGHT, query="ssl=require"))
