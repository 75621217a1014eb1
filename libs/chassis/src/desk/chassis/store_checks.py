"""Checks of database and broker, for the services that have them."""

from aio_pika.exceptions import AMQPException

from desk.chassis.bus.rabbit.connection import open_connection, translate_broker_errors
from desk.chassis.checks import Check
from desk.database import Database, Schema


def database(url: str, package: str) -> Check:
    """Check that a database has the schema that the package needs."""

    async def check() -> None:
        opened = Database(url, pool_size=1)
        try:
            await Schema.of(opened, package).require()
        finally:
            await opened.close()

    return check


def broker(url: str, queue: str | None = None) -> Check:
    """Check that RabbitMQ accepts the user, and that the queue exists that the service consumes."""

    async def check() -> None:
        opened = await open_connection(url, confirms=False)
        try:
            if queue is not None:
                with translate_broker_errors():
                    await opened.channel.declare_queue(queue, passive=True)
        except AMQPException as error:
            raise LookupError(f"queue {queue}: run `desk-topology apply`") from error
        finally:
            await opened.close()

    return check
