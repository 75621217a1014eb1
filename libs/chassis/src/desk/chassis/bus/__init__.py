"""Events between services: the relay publishes, consumers handle, a broker delivers.

A :class:`Broker` is RabbitMQ (``desk.chassis.bus.rabbit``) or the embedded one (``desk.chassis.bus.embedded``).
"""

from desk.chassis.bus.broker import (
    RETRY_DELAYS,
    Broker,
    BrokerUnavailableError,
    Consumer,
    ContractError,
    QueueSpec,
    Topology,
    UnroutableError,
)
from desk.chassis.bus.consumer import Bus, InvalidEvent
from desk.chassis.bus.pruning import Pruning
from desk.chassis.bus.relay import Relay

__all__ = [
    "RETRY_DELAYS",
    "Broker",
    "BrokerUnavailableError",
    "Bus",
    "Consumer",
    "ContractError",
    "InvalidEvent",
    "Pruning",
    "QueueSpec",
    "Relay",
    "Topology",
    "UnroutableError",
]
