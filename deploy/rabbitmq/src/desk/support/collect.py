"""What the bundle has: the state of each replica, its metrics, and the queues. Nothing in it is personal or secret."""

import asyncio
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import BaseModel, ValidationError

from desk.chassis.bus import BrokerUnavailableError
from desk.chassis.bus.rabbit.connection import address, open_channel, open_connection, translate_broker_errors
from desk.chassis.support import Support
from desk.security.logs import safe_text
from desk.topology.definitions import desk_layout

ANSWER_SECONDS = 10.0
REPLICAS_MAX = 50
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service, or the reason why it does not answer."""

    service: str
    place: str
    """Its address and port."""
    state: Support | None = None
    metrics: str = ""
    error: str = ""


class Queue(BaseModel):
    """The length of a queue, and how many consumers it has."""

    name: str
    messages: int
    consumers: int


@dataclass(frozen=True, slots=True)
class Queues:
    """All queues of the desk, also those with dead letters and delayed retries, or the reason why there are none."""

    queues: list[Queue] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    error: str = ""


async def replicas_of(service: str, url: str) -> list[Replica]:
    """Ask every address of a service's port for health. There is one result at least."""
    try:
        addresses = await _addresses(url)
    except (OSError, ValueError) as error:
        return [Replica(service, safe_text(url), error=f"the name cannot be resolved: {type(error).__name__}")]
    return list(await asyncio.gather(*(_ask(service, each) for each in addresses)))


async def _addresses(url: str) -> list[str]:
    parts = urlsplit(url)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    hosts = sorted({str(place[0]) for *_, place in found})[:REPLICAS_MAX]
    return [f"[{host}]:{parts.port or 80}" if ":" in host else f"{host}:{parts.port or 80}" for host in hosts]


async def _ask(service: str, place: str) -> Replica:
    try:
        async with httpx.AsyncClient(base_url=f"http://{place}", timeout=ANSWER_SECONDS, trust_env=False) as client:
            state = (await client.get("/support")).raise_for_status()
            metrics = (await client.get("/metrics")).raise_for_status()
            return Replica(service, place, Support.model_validate_json(state.content), metrics.text)
    except httpx.HTTPStatusError as error:
        return Replica(service, place, error=f"{error.request.url.path}: {error.response.status_code}")
    except httpx.HTTPError as error:
        return Replica(service, place, error=f"no answer: {type(error).__name__}")
    except ValidationError:
        return Replica(service, place, error="/support: this is no service of the desk, or of another version")


async def queues(amqp_url: str) -> Queues:
    """Count the messages of every queue, as the user ``operator``. No message is read."""
    reason = ""
    for _ in range(ATTEMPTS):  # a broker that is worth a bundle may be slow
        try:
            with translate_broker_errors():
                return await _count(amqp_url)
        except BrokerUnavailableError as error:
            reason = safe_text(str(error))
    return Queues(error=reason)


async def _count(amqp_url: str) -> Queues:
    link = await open_connection(address(amqp_url, "desk-support"), confirms=False)
    counted = Queues()
    try:
        channel = link.channel
        for queue in desk_layout().queues:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    declared = (await channel.declare_queue(queue.name, passive=True)).declaration_result
            except ChannelNotFoundEntity:  # closes the channel
                counted.missing.append(queue.name)
                channel = await open_channel(link.connection, confirms=False)
                continue
            counts = (declared.message_count or 0, declared.consumer_count or 0)
            counted.queues.append(Queue(name=queue.name, messages=counts[0], consumers=counts[1]))
    finally:
        await link.close()
    return counted
