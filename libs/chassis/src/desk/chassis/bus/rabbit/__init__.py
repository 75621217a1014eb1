"""RabbitMQ as the desk's broker.

::

    RabbitBroker ── Publisher ─────── Link    confirmed publishes, over a connection of their own: a broker short of
         │              ▲                     memory blocks whole connections that publish
         └── QueueConsumer ── Desk of one message (handling): ack, delayed retry, or dead letter
                 └─────────────────── Link    one connection per queue that is read

Exchanges and queues are those of ``layout``, made at deployment. The desk reconnects by itself instead of using
aio-pika's robust connection: that one closes everything, publishing too, for as long as one of its queues is missing.
"""

from desk.chassis.bus.rabbit.broker import RabbitBroker

__all__ = ["RabbitBroker"]
