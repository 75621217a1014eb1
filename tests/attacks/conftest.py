"""Fixtures for attacks: one desk for all of them, on real servers behind nginx, with production limits."""

from collections.abc import Iterator

import pytest
from attacks.attacked_desk import AttackedDesk
from support.real_desk import RealDesk

from desk.testing.postgres import PostgresServer
from desk.testing.rabbit import RabbitServer
from desk.testing.redis import RedisServer
from desk.testing.s3 import S3Server

REDIS_DATABASE = 8


@pytest.fixture(scope="session")
def _attacked_desk(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
    rabbit_server: RabbitServer,
    redis_server: RedisServer,
    s3_server: S3Server,
) -> Iterator[AttackedDesk]:
    services = RealDesk(
        tmp_path_factory.mktemp("attacked"),
        postgres_server,
        rabbit_server,
        redis_server,
        s3_server,
        redis_database=REDIS_DATABASE,
        production_limits=True,
    )
    running = AttackedDesk(services)
    yield running
    running.close()
    services.close()


@pytest.fixture
def desk(_attacked_desk: AttackedDesk) -> AttackedDesk:
    """The desk; nothing is counted yet."""
    _attacked_desk.forget_limits()
    return _attacked_desk
