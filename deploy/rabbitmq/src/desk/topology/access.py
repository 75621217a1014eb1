"""Permissions of each user of the broker: a service has its events and queue, an office its queue and reports.

A user of RabbitMQ may write to an exchange as a whole; on a topic exchange a second rule narrows it to routing keys.
No user may declare anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from desk.chassis.bus.rabbit.layout import DEAD_EXCHANGE, DELAY_EXCHANGE, RETRY_EXCHANGE
from desk.iran.offices import OFFICES
from desk.topology.table import CASES, EVENTS, OPERATOR, SERVICES, Service, office_queue

NOTHING = "^$"


@dataclass(frozen=True, slots=True)
class User:
    """A user without administrative tags: patterns of what to write and read, and of routing keys per exchange."""

    name: str
    write: str
    read: str
    keys: dict[str, str]


def users() -> tuple[User, ...]:
    """Return all users of the desk's broker."""
    return (*map(_service, SERVICES), *_offices(), _operator())


def _service(service: Service) -> User:
    keys = {}
    if service.publishes:
        keys[EVENTS] = rf"^({'|'.join(service.publishes)})\.[a-z-]+$"
    if service.queues:
        keys[DELAY_EXCHANGE] = rf"^[0-9]+(ms|s|m|h)\.{_queues(service)}$"
        keys[DEAD_EXCHANGE] = rf"^{_queues(service)}$"
    return User(service.user, _any_of(*keys), rf"^{_queues(service)}$", keys)


def _queues(service: Service) -> str:
    """Return the pattern of a service's queues, with one pattern for those of all offices."""
    own = service.queue or ""
    return rf"({own}|reports\.[a-z-]+)" if service.untrusted else own


def _offices() -> Iterator[User]:
    for each in OFFICES:
        queue = office_queue(each.key)
        yield User(queue, _any_of(CASES), _any_of(queue), {CASES: rf"^[a-z-]+\.{each.key}$"})


def _operator() -> User:
    return User(OPERATOR, _any_of(RETRY_EXCHANGE), r"^.+\.dead$", {RETRY_EXCHANGE: r"^replay\."})


def _any_of(*names: str) -> str:
    escaped = [name.replace(".", r"\.") for name in names]
    match escaped:
        case []:
            return NOTHING
        case [one]:
            return f"^{one}$"
    return f"^({'|'.join(escaped)})$"
