"""RabbitMQ as the desk's broker.

::

    RabbitBroker ── Publisher ── ChannelConnection       confirmed publishes; a connection of its own, because a broker
         │             ▲                                 short of memory blocks whole connections that publish
         └── QueueConsumer ── MessageHandler             ack, delayed retry, or dead letter
                 └─────────── ChannelConnection          one connection per consumed queue

Exchanges and queues are those of ``layout``, declared at deployment. This package reconnects by itself and does not use
aio-pika's robust connection, which closes all its channels for as long as one of its queues is missing.
"""

from desk.chassis.bus.rabbit.broker import RabbitBroker

__all__ = ["RabbitBroker"]
