"""The servers that all parts share: PostgreSQL as in production, RabbitMQ, Redis and S3."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from desk.testing.postgres import PostgresServer, open_postgres
from desk.testing.rabbit import RabbitServer, open_rabbit
from desk.testing.redis import RedisServer, open_redis
from desk.testing.s3 import S3Server, open_s3

DURABLE = {"fsync": "on", "full_page_writes": "on"}


@dataclass(frozen=True, slots=True)
class Servers:
    """Real servers on this machine."""

    postgres: PostgresServer
    rabbit: RabbitServer
    redis: RedisServer
    s3: S3Server

    @property
    def pids(self) -> dict[str, list[int]]:
        """The processes of the servers, by name."""
        named = {"postgres": self.postgres, "rabbitmq": self.rabbit, "redis": self.redis, "s3": self.s3}
        return {name: [server.pid] for name, server in named.items() if server.pid is not None}


@contextmanager
def open_servers(**settings: str) -> Iterator[Servers]:
    """Start the servers, and stop them at the end. ``settings`` are more of PostgreSQL's."""
    with (
        open_postgres(settings=DURABLE | settings) as postgres,
        open_rabbit() as rabbit,
        open_redis() as redis,
        open_s3() as s3,
    ):
        yield Servers(postgres, rabbit, redis, s3)
