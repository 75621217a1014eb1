"""Connection pools for Redis: to one server, or to the master that Sentinel reports."""

from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic_settings import SettingsError
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

TIMEOUT_SECONDS = 1.0
"""Timeout for each of: getting a connection, opening it, receiving a reply."""
HEALTH_CHECK_SECONDS = 15
SENTINEL_PORT = 26379

REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")
"""Schemes of the addresses that :func:`redis_pool` accepts."""

_SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")


def redis_pool(url: str, max_connections: int) -> BlockingConnectionPool:
    """Return a pool with bounded connections and timeouts. It connects when first used.

    ``url`` is ``redis://:password@host:6379/0``, ``rediss://…`` over TLS, or
    ``redis+sentinel://:password@one:26379,two:26379,three:26379/service/0`` (or ``rediss+sentinel``), where ``service``
    is Sentinel's name for the master. ``?sentinel_password=…`` is Sentinel's own password, if it has one.
    Raises SettingsError without the address, which contains a password.
    """
    if urlsplit(url).scheme in _SENTINEL_SCHEMES:
        return _master_pool(url, max_connections)
    return BlockingConnectionPool.from_url(
        url, max_connections=max_connections, health_check_interval=HEALTH_CHECK_SECONDS, **_timeouts()
    )


def _timeouts() -> dict[str, Any]:
    return {
        "timeout": TIMEOUT_SECONDS,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1),  # once, for a connection that was closed while idle
    }


class _MasterPool(SentinelConnectionPool, BlockingConnectionPool):
    """A bounded pool of connections; each goes to the server that is the master when it is opened."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis' signature
        """Close the connections; with ``inuse_connections``, which ends the pool, those to Sentinel as well."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            await cast("Sentinel", self.sentinel_manager).aclose()


def _master_pool(url: str, max_connections: int) -> _MasterPool:
    parts = urlsplit(url)
    credentials, _, places = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    own = parse_qs(parts.query).get("sentinel_password", [None])[0]
    tls = {"ssl": True} if parts.scheme == "rediss+sentinel" else {}
    if not service or not (database or "0").isdigit():
        raise _invalid_address()
    bounds = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    sentinels = Sentinel(  # type: ignore[no-untyped-call]
        [_host_and_port(each) for each in places.split(",")], sentinel_kwargs=bounds | tls | {"password": own}
    )
    return _MasterPool(  # type: ignore[no-untyped-call]
        service,
        sentinels,
        max_connections=max_connections,
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(database or "0"),
        health_check_interval=HEALTH_CHECK_SECONDS,
        **_timeouts(),
        **tls,
    )


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", str(SENTINEL_PORT))
    if not host or not port.isdigit():
        raise _invalid_address()
    return host, int(port)


def _invalid_address() -> SettingsError:
    return SettingsError(
        "the address of Redis is invalid; with Sentinel it has the form "
        "redis+sentinel://:password@one:26379,two:26379,three:26379/service/0"
    )
